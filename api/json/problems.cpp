#include "api/json/problems.hpp"

#include <algorithm>

namespace belfry::api::json {
namespace {

constexpr std::size_t most_listed = 100;

// Only unknown fields, or only an unknown handler, keep their own code; a wrong value outweighs both.
core::errc gravest(core::errc a, core::errc b) { return a == b ? a : core::errc::invalid; }

}  // namespace

void problems::add(core::field_problem p, core::errc code) {
  code_ = count_ == 0 ? code : gravest(code_, code);
  ++count_;
  if (list_.size() < most_listed) list_.push_back(std::move(p));
}

void problems::add_found(std::vector<core::field_problem> found) {
  std::vector<core::field_problem> fresh;
  for (auto& p : found)
    if (!about(p.pointer)) fresh.push_back(std::move(p));
  for (auto& p : fresh) add(std::move(p));
}

bool problems::about(std::string_view pointer) const {
  return std::any_of(list_.begin(), list_.end(), [&](const core::field_problem& p) {
    const std::string_view known = p.pointer;
    return known == pointer || (known.starts_with(pointer) && known[pointer.size()] == '/');
  });
}

core::failure problems::refusal() const {
  core::failure f{code_, {}, list_, {}};
  if (list_.empty()) return f;
  const auto& first = list_.front();
  const std::string where = first.pointer.empty() ? "the body" : first.pointer;
  f.text = where + ": " + (first.detail.empty() ? "allowed is " + first.allowed : first.detail);
  if (count_ > 1) f.text += " (and " + std::to_string(count_ - 1) + " more)";
  return f;
}

}  // namespace belfry::api::json
