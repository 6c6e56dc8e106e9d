#include "storage/codec/timing.hpp"

#include "storage/codec/bytes.hpp"

namespace belfry::storage::codec {
namespace {

constexpr std::uint64_t version = 1;
// What follows the fixed fields: pairs of a tag and a number, as far as they differ from what is usual.
constexpr std::uint64_t t_retry_past_next = 1, t_most_runs_of = 2;
constexpr std::int64_t caught_up = 1, limited = 2;
constexpr int shift_at = 2;
constexpr std::int64_t shift_bits = 3;
constexpr int scope_at = 4;
constexpr std::int64_t scope_bits = 3;

std::uint64_t whole(std::int64_t v) { return static_cast<std::uint64_t>(v); }

}  // namespace

std::string encode_timing(const core::job_timing& t) {
  if (t.schedule.empty()) return {};
  const auto& p = t.policy;
  out o;
  o.number(version);
  o.text(t.schedule);
  o.number(static_cast<std::uint64_t>(p.missed));
  o.number(p.all_at_most);
  o.number(whole(p.grace.count()));
  o.number(whole(p.start_deadline.count()));
  o.number(whole(p.on_time.count()));
  o.number(p.limit.most);
  o.number(whole(p.limit.window.count()));
  o.number(whole(p.most_runs));
  if (p.retry_past_next) {
    o.number(t_retry_past_next);
    o.number(1);
  }
  if (p.most_runs_of != core::run_count::runs) {
    o.number(t_most_runs_of);
    o.number(static_cast<std::uint64_t>(p.most_runs_of));
  }
  return o.take();
}

core::job_timing decode_timing(std::string_view bytes) {
  core::job_timing t;
  if (bytes.empty()) return t;
  in i{bytes};
  if (i.number() != version)
    throw damaged("a stored schedule is of a version that this belfry does not know");
  t.schedule = i.text();
  auto& p = t.policy;
  p.missed = static_cast<core::catch_up>(i.number());
  p.all_at_most = static_cast<std::uint32_t>(i.number());
  p.grace = core::span{i.signed_number()};
  p.start_deadline = core::span{i.signed_number()};
  p.on_time = core::span{i.signed_number()};
  p.limit.most = static_cast<std::uint32_t>(i.number());
  p.limit.window = core::span{i.signed_number()};
  p.most_runs = i.signed_number();
  while (!i.empty()) {
    const auto tag = i.number();
    if (tag == t_retry_past_next)
      p.retry_past_next = i.number() != 0;
    else if (tag == t_most_runs_of)
      p.most_runs_of = i.number() == 0 ? core::run_count::runs : core::run_count::successes;
    else
      throw damaged("a stored schedule has a field that this version does not know");
  }
  return t;
}

std::string schedule_in_timing(std::string_view bytes) {
  if (bytes.empty()) return {};
  try {
    in i{bytes};
    return i.number() == version ? std::string{i.text()} : std::string{};
  } catch (const damaged&) {
    return {};
  }
}

std::string encode_instants(const std::vector<core::instant>& list) {
  if (list.empty()) return {};
  out o;
  o.number(version);
  for (const auto t : list) o.number(whole(core::micros(t)));
  return o.take();
}

std::vector<core::instant> decode_instants(std::string_view bytes) {
  std::vector<core::instant> list;
  if (bytes.empty()) return list;
  in i{bytes};
  if (i.number() != version)
    throw damaged("a stored list of times is of a version that this belfry does not know");
  while (!i.empty()) list.push_back(core::from_micros(i.signed_number()));
  return list;
}

std::int64_t flags_of(const core::occurrence& o) {
  return (o.caught_up ? caught_up : 0) | (o.limited ? limited : 0) |
         (static_cast<std::int64_t>(o.shift) << shift_at) |
         (static_cast<std::int64_t>(o.limited_by) << scope_at);
}

void read_flags(std::int64_t flags, core::occurrence& o) {
  o.caught_up = (flags & caught_up) != 0;
  o.limited = (flags & limited) != 0;
  o.shift = static_cast<core::clock_shift>((flags >> shift_at) & shift_bits);
  o.limited_by = static_cast<core::fire_scope>((flags >> scope_at) & scope_bits);
  if (o.limited && o.limited_by == core::fire_scope::none) o.limited_by = core::fire_scope::job;
}

}  // namespace belfry::storage::codec
