#include "tests/support/sim_trace.hpp"

#include <cstdio>
#include <ostream>

namespace belfry::tests {
namespace {

constexpr std::size_t lines_kept = 40;

std::string text_of(std::size_t step, core::instant at, std::string_view who, std::string_view what) {
  char head[64];
  std::snprintf(head, sizeof head, "%6zu %12.6f  ", step, static_cast<double>(core::micros(at)) / 1e6);
  std::string out{head};
  out.append(who);
  out.append(who.size() < 22 ? 22 - who.size() : 1, ' ');
  out.append(what);
  return out;
}

}  // namespace

void sim_trace::line(std::string_view who, std::string_view what) {
  const auto mix = [this](std::string_view text) {
    for (const char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  };
  mix(who);
  mix(what);
  hash_ = (hash_ ^ static_cast<std::uint64_t>(core::micros(steady_))) * 1099511628211ULL;
  keep(who, what);
}

void sim_trace::remark(std::string_view who, std::string_view what) { keep(who, what); }

void sim_trace::keep(std::string_view who, std::string_view what) {
  if (live_ != nullptr) *live_ << text_of(step_, steady_, who, what) << '\n';
  if (last_.size() == lines_kept) {
    // The oldest entry's texts are used again: a step should not cost two allocations.
    entry e = std::move(last_.front());
    last_.pop_front();
    e.step = step_, e.at = steady_;
    e.who.assign(who), e.what.assign(what);
    last_.push_back(std::move(e));
  } else {
    last_.push_back({step_, steady_, std::string{who}, std::string{what}});
  }
}

std::string sim_trace::tail() const {
  std::string out;
  for (const auto& e : last_) out += text_of(e.step, e.at, e.who, e.what) + '\n';
  return out;
}

}  // namespace belfry::tests
