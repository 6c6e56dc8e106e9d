#include "core/schedule/schedule.hpp"
#include "core/time/text.hpp"

namespace belfry::core {

std::vector<field_problem> check_parts(const schedule& s, const std::string& base) {
  constexpr span longest_jitter = std::chrono::hours{24};
  std::vector<field_problem> found;
  const auto no = [&](std::string_view field, std::string value, std::string allowed, std::string why) {
    found.push_back({base + std::string{field}, std::move(value), std::move(allowed), std::move(why)});
  };
  if (s.any_of.empty() || s.any_of.size() > most_triggers)
    no("", std::to_string(s.any_of.size()) + " triggers", "1 to 16", "their number is out of range");
  for (const auto& t : s.any_of) {
    for (auto& p : check(t, base)) found.push_back(std::move(p));
    if (std::holds_alternative<event_trigger>(t) && (s.any_of.size() > 1 || !s.not_during.empty()))
      no("/event", "", "one event and nothing else", "an event trigger stands alone");
  }
  if (s.not_during.size() > most_exclusions)
    no("/not_during", std::to_string(s.not_during.size()), "at most 16", "there are too many");
  for (const auto& e : s.not_during)
    for (auto& p : check(e, base + "/not_during")) found.push_back(std::move(p));
  if (s.starts < never || s.ends > end_of_time || s.starts > s.ends)
    no("/ends", to_rfc3339(s.ends), "not before the start", "the schedule would be over before it begins");
  if (s.jitter < span{0} || s.jitter > longest_jitter)
    no("/jitter", to_text(s.jitter), "0 to 1d", "it is out of range");
  return found;
}

std::vector<field_problem> check(const schedule& s, const std::string& base) {
  auto found = check_parts(s, base);
  if (found.empty() && !on_event(s) && !next(s, never))
    found.push_back({base, "", "at least one instant outside of what is excluded", "it would never fire"});
  return found;
}

}  // namespace belfry::core
