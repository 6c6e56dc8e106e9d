#include "storage/codec/ladder.hpp"

#include <charconv>
#include <utility>

#include "storage/codec/bytes.hpp"

namespace belfry::storage::codec {
namespace {

// "1 17 3 1795255200000000": the version and the numbers, in decimal, one space between.
class numbers_out {
 public:
  void add(std::int64_t v) { text_ += ' ' + std::to_string(v); }
  void add(std::uint64_t v) { text_ += ' ' + std::to_string(v); }
  void add(core::instant t) { add(core::micros(t)); }
  void add(core::span s) { add(s.count()); }
  std::string text() const { return text_; }

 private:
  std::string text_ = "1";
};

class numbers_in {
 public:
  explicit numbers_in(std::string_view text) : left_{text} {
    if (next() != 1) throw damaged("a stored figure has an unknown version");
  }
  void read(std::uint64_t& into) { into = static_cast<std::uint64_t>(next()); }
  void read(core::instant& into) { into = core::from_micros(next()); }
  void read(core::span& into) { into = core::span{next()}; }
  std::string_view rest() {
    if (!left_.empty()) left_.remove_prefix(1);
    return std::exchange(left_, {});
  }

 private:
  std::int64_t next() {
    if (left_.empty()) return 0;
    if (left_.front() == ' ') left_.remove_prefix(1);
    std::int64_t v = 0;
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), v);
    if (error != std::errc{}) throw damaged("a stored figure cannot be read");
    left_.remove_prefix(static_cast<std::size_t>(end - left_.data()));
    return v;
  }
  std::string_view left_;
};

template <class S, class Each>
void each_number(S& s, Each each) {
  each(s.since);
  each(s.cycles);
  each(s.paused_cycles);
  each(s.asked);
  each(s.rebuilds);
  each(s.errors);
  each(s.recovered_leases);
  each(s.wakes_attempted);
  each(s.wakes_succeeded);
  each(s.wakes_failed);
  each(s.wakes_acknowledged);
  each(s.wakes_unheard);
  each(s.no_capable);
  each(s.all_busy);
  each(s.all_cooldown);
  each(s.wrong_scope);
  each(s.recently_notified);
  each(s.fanned_out);
  each(s.spawns_requested);
  each(s.spawns_refused);
  each(s.needs_attention);
  each(s.longest);
  each(s.total);
  each(s.last_cycle);
  each(s.last_wake);
  each(s.last_rebuild);
  each(s.last_error_at);
}

}  // namespace

std::string encode_clock(const core::ladder_clock& c) {
  numbers_out out;
  out.add(c.tick);
  out.add(c.episodes);
  out.add(c.ticked_at);
  return out.text();
}

core::ladder_clock decode_clock(std::string_view text) {
  core::ladder_clock c;
  if (text.empty()) return c;
  numbers_in in{text};
  in.read(c.tick);
  in.read(c.episodes);
  in.read(c.ticked_at);
  return c;
}

std::string encode_statistics(const core::cycle_statistics& s) {
  numbers_out out;
  each_number(s, [&](const auto& n) { out.add(n); });
  return out.text() + ' ' + s.last_error;
}

core::cycle_statistics decode_statistics(std::string_view text) {
  core::cycle_statistics s;
  if (text.empty()) return s;
  numbers_in in{text};
  each_number(s, [&](auto& n) { in.read(n); });
  s.last_error = in.rest();
  return s;
}

}  // namespace belfry::storage::codec
