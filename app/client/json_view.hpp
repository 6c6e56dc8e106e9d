// JSON VIEW: reading what the node answered, tolerantly: what is not there is empty, fields that are new are
// not seen. The text is kept as it came, so that numbers of payloads are shown as they were sent.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "api/json/document.hpp"

namespace belfry::app {

class view {
 public:
  view() = default;
  view(const api::json::document* doc, std::uint32_t at) : doc_(doc), at_(at) {}

  bool there() const { return doc_ != nullptr && doc_->at(at_).what != api::json::kind::null; }
  bool is(api::json::kind k) const { return doc_ != nullptr && doc_->at(at_).what == k; }
  view operator[](std::string_view key) const;  // a member
  std::size_t size() const { return doc_ == nullptr ? 0 : doc_->at(at_).count; }
  std::string text() const;     // of a text; else the raw JSON; empty when it is null or not there
  std::int64_t number() const;  // 0 when it is none
  double real() const;
  bool truth() const { return is(api::json::kind::boolean) && doc_->at(at_).whole; }
  std::string_view raw() const { return doc_ == nullptr ? std::string_view{} : doc_->raw(at_); }

  template <class F>
  void each(F f) const {  // elements
    if (!is(api::json::kind::array)) return;
    for (auto i = at_ + 1; i < doc_->at(at_).next; i = doc_->at(i).next) f(view{doc_, i});
  }
  template <class F>
  void members(F f) const {  // f(name, value)
    if (!is(api::json::kind::object)) return;
    std::string store;
    for (auto i = at_ + 1; i < doc_->at(at_).next; i = doc_->at(i + 1).next)
      f(std::string(doc_->text(i, store)), view{doc_, i + 1});
  }

 private:
  const api::json::document* doc_ = nullptr;
  std::uint32_t at_ = 0;
};

// A text with its index; moves freely, its views stay valid.
class json_text {
 public:
  json_text() = default;
  static core::result<json_text> parse(std::string text);
  view root() const { return doc_ ? view{doc_.get(), 0} : view{}; }
  view operator[](std::string_view key) const { return root()[key]; }
  const std::string& text() const { return *text_; }

 private:
  std::shared_ptr<const std::string> text_ = std::make_shared<const std::string>();
  std::shared_ptr<const api::json::document> doc_;
};

std::string indented(std::string_view json);  // the same tokens, two spaces per level
std::string compact(std::string_view json);
std::string json_quoted(std::string_view text);

}  // namespace belfry::app
