// PLACE: where a field stands, as parts of a JSON pointer that are joined only when something is wrong with
// it. Nearly every check passes, and a spec has forty of them.
#pragma once

#include <string>
#include <string_view>

namespace belfry::core {

// Valid as long as what it was made from: to be passed on, never to be kept.
class place {
 public:
  place(std::string_view whole) : name_{whole} {}
  place(const std::string& whole) : name_{whole} {}
  place(const char* whole) : name_{whole} {}

  // `tail` with its slash: "/name".
  place operator/(std::string_view tail) const { return {*this, tail}; }
  std::string text() const {
    std::string all = within_ != nullptr ? within_->text() : std::string{};
    return all += name_;
  }

 private:
  place(const place& within, std::string_view tail) : within_{&within}, name_{tail} {}

  const place* within_ = nullptr;
  std::string_view name_;
};

}  // namespace belfry::core
