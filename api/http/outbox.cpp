#include "api/http/outbox.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace belfry::api {
namespace {

constexpr std::size_t most_gathered = 32;

void append_chunk(std::string& out, std::string_view bytes) {
  std::array<char, 20> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
  out.append(size.data(), end);
  out += "\r\n";
  out += bytes;
  out += "\r\n";
}

}  // namespace

outbox::slot* outbox::find(std::uint64_t id) {
  if (id < first_ || id - first_ >= slots_.size()) return nullptr;
  return &slots_[id - first_];
}

std::uint64_t outbox::reserve() {
  slots_.emplace_back();
  return first_ + slots_.size() - 1;
}

void outbox::answer(std::uint64_t id, std::string head, std::string body, bool close) {
  auto* s = find(id);
  if (s == nullptr || s->done || s->stream) return;
  s->head = std::move(head);
  s->body = std::move(body);
  s->close = close;
  s->done = true;
  ready_bytes_ += s->head.size() + s->body.size();
}

void outbox::begin_stream(std::uint64_t id, std::string head, bool chunked) {
  auto* s = find(id);
  if (s == nullptr || s->done || s->stream) return;
  s->late = std::move(head);
  s->stream = true;
  s->chunked = chunked;
  ++streaming_;
}

void outbox::stream_write(std::uint64_t id, std::string bytes, std::function<void(bool)> written) {
  auto* s = find(id);
  if (s == nullptr || !s->stream || s->done) {
    if (written) written(false);
    return;
  }
  if (s->chunked)
    append_chunk(s->late, bytes);
  else
    s->late += bytes;
  s->written = std::move(written);
}

void outbox::stream_finish(std::uint64_t id, bool close) {
  auto* s = find(id);
  if (s == nullptr || !s->stream || s->done) return;
  if (s->chunked) s->late += "0\r\n\r\n";
  s->close = close || !s->chunked;
  s->done = true;
  --streaming_;
}

bool outbox::stream_open(std::uint64_t id) const {
  if (id < first_ || id - first_ >= slots_.size()) return false;
  const auto& s = slots_[id - first_];
  return s.stream && !s.done;
}

bool outbox::next(std::vector<std::string_view>& bytes) {
  bytes.clear();
  for (auto& s : slots_) {
    if (flying_ == most_gathered) break;
    if (s.stream) {
      if (s.late.empty() && !s.done) break;
      s.head = std::exchange(s.late, {});
      s.flying = std::exchange(s.written, nullptr);
    } else if (!s.done) {
      break;
    }
    s.last = s.done;
    ++flying_;
    if (!s.head.empty()) bytes.push_back(s.head);
    if (!s.body.empty()) bytes.push_back(s.body);
    if (!s.last || s.close) break;
  }
  return flying_ > 0;
}

bool outbox::wrote() {
  std::vector<std::function<void(bool)>> told;
  bool close = false;
  for (; flying_ > 0; --flying_) {
    auto& s = slots_.front();
    if (s.flying) told.push_back(std::exchange(s.flying, nullptr));
    if (!s.last) {
      s.head.clear();
      flying_ = 0;
      break;
    }
    close = close || s.close;
    if (!s.stream) ready_bytes_ -= s.head.size() + s.body.size();
    slots_.pop_front();
    ++first_;
  }
  for (auto& f : told) f(true);
  return close;
}

void outbox::drop() {
  std::vector<std::function<void(bool)>> told;
  for (auto& s : slots_) {
    if (s.flying) told.push_back(std::exchange(s.flying, nullptr));
    if (s.written) told.push_back(std::exchange(s.written, nullptr));
  }
  first_ += slots_.size();
  slots_.clear();
  flying_ = 0;
  ready_bytes_ = 0;
  streaming_ = 0;
  for (auto& f : told) f(false);
}

}  // namespace belfry::api
