#include <bit>

#include "core/schedule/cron.hpp"

namespace belfry::core {
namespace {

// The step n for which bits are exactly low, low+n, low+2n, … up to the end of the field; 0 for none.
unsigned step_of(std::uint64_t bits, unsigned low, unsigned size) {
  if ((bits >> low & 1U) == 0) return 0;
  const auto rest = bits >> (low + 1);
  if (rest == 0) return 0;
  const auto step = static_cast<unsigned>(std::countr_zero(rest)) + 1;
  std::uint64_t all = 0;
  for (unsigned v = low; v < low + size; v += step) all |= std::uint64_t{1} << v;
  return all == bits ? step : 0;
}

std::string list_text(std::uint64_t bits, unsigned low, unsigned size) {
  std::string out;
  for (unsigned v = low; v < low + size; ++v) {
    if ((bits >> v & 1U) == 0) continue;
    unsigned end = v;
    while (end + 1 < low + size && (bits >> (end + 1) & 1U) != 0) ++end;
    if (!out.empty()) out += ',';
    out += std::to_string(v);
    if (end == v + 1) --end;  // "1,2" and not "1-2"
    if (end > v) out += '-' + std::to_string(end);
    v = end;
  }
  return out;
}

void add(std::string& out, const std::string& item) {
  if (!out.empty()) out += ',';
  out += item;
}

std::string month_day_text(const day_set& days) {
  std::string out = list_text(days.month_days, 1, 31);
  if (days.last_day) add(out, "L");
  return out;
}

std::string weekday_text(const day_set& days) {
  std::string out = list_text(days.weekdays, 0, 7);
  for (unsigned w = 0; w < 7; ++w) {
    for (unsigned n = 1; n <= 5; ++n)
      if ((days.nth[w] >> n & 1U) != 0) add(out, std::to_string(w) + '#' + std::to_string(n));
    if ((days.last_weekdays >> w & 1U) != 0) add(out, std::to_string(w) + 'L');
  }
  return out;
}

}  // namespace

std::string field_text(std::uint64_t bits, unsigned low, unsigned size) {
  const auto count = static_cast<unsigned>(std::popcount(bits));
  if (count == size) return "*";
  // Two values read better as a step only where the step divides the field: "*/30", but "0,45".
  if (const auto step = step_of(bits, low, size); step > 1 && (count > 2 || size % step == 0))
    return "*/" + std::to_string(step);
  return list_text(bits, low, size);
}

std::string canonical(const cron_expression& cron) {
  std::string out;
  if (cron.seconds != 1) out = field_text(cron.seconds, 0, 60) + ' ';
  out += field_text(cron.minutes, 0, 60) + ' ';
  out += field_text(cron.hours, 0, 24) + ' ';
  const auto rule = cron.rule;
  if (rule == day_rule::every || rule == day_rule::by_weekday)
    out += "* ";
  else if (rule != day_rule::either && !cron.days.last_day)
    out += field_text(cron.days.month_days, 1, 31) + ' ';
  else
    out += month_day_text(cron.days) + ' ';
  out += field_text(cron.months, 1, 12) + ' ';
  if (rule == day_rule::every || rule == day_rule::by_number)
    out += '*';
  else
    out += (rule == day_rule::both ? "&" : "") + weekday_text(cron.days);
  return out;
}

}  // namespace belfry::core
