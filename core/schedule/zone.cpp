#include "core/schedule/zone.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "core/text/utf8.hpp"

namespace belfry::core {
namespace {

using std::chrono::seconds;
using cctz_time = cctz::time_point<cctz::seconds>;

constexpr std::size_t longest_name = 64;

cctz_time to_cctz(instant t) { return cctz_time{std::chrono::floor<cctz::seconds>(t.time_since_epoch())}; }
instant from_cctz(cctz_time t) { return instant{std::chrono::duration_cast<span>(t.time_since_epoch())}; }

bool plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  });
}

bool acceptable(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && plain(name) && name.front() != '/' &&
         name.back() != '/' && name != "localtime" && !name.starts_with("posix/") &&
         !name.starts_with("right/") && !name.starts_with("Fixed/");
}

// "europe/berlin" and "AMERICA/NEW_YORK" as zone names are mostly written.
std::string usual_spelling(std::string_view name) {
  std::string out;
  bool begins = true;
  for (char c : name) {
    if (c == ' ') c = '_';
    if (begins && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!begins && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    out += c;
    begins = c == '/' || c == '_' || c == '-';
  }
  return out;
}

void padded(std::string& out, int value) {
  if (value < 10) out += '0';
  out += std::to_string(value);
}

}  // namespace

std::string_view to_text(clock_shift s) {
  constexpr std::array<std::string_view, 4> names{"none", "gap", "first_pass", "second_pass"};
  const auto i = static_cast<std::size_t>(s);
  return i < names.size() ? names[i] : std::string_view{"unknown"};
}

result<zone> zone::named(std::string_view name) {
  zone found;
  if (name == "UTC") return found;
  found.name_ = name;
  if (acceptable(name) && cctz::load_time_zone(found.name_, &found.zone_)) return found;
  std::string allowed = "a name of the zone database, such as Europe/Berlin, America/New_York or UTC";
  const auto usual = usual_spelling(name);
  if (cctz::time_zone other; acceptable(usual) && usual != name && cctz::load_time_zone(usual, &other))
    allowed += "; did you mean " + usual + "?";
  failure f{errc::invalid, "there is no time zone '" + shown(name, longest_name) + "'", {}, {}};
  f.problems.push_back({"", shown(name, longest_name), std::move(allowed), "it is not a known time zone"});
  return f;
}

local_seconds zone::local(instant t) const {
  const auto at = to_cctz(t);
  return local_seconds{seconds{at.time_since_epoch().count() + zone_.lookup(at).offset}};
}

seconds zone::offset(instant t) const { return seconds{zone_.lookup(to_cctz(t)).offset}; }

local_lookup zone::lookup(local_seconds l) const {
  const auto found = zone_.lookup(cctz::civil_second{} + l.time_since_epoch().count());
  local_lookup out;
  out.first = from_cctz(found.pre);
  out.second = from_cctz(found.post);
  out.transition = from_cctz(found.trans);
  if (found.kind == cctz::time_zone::civil_lookup::SKIPPED) out.is = local_lookup::kind::skipped;
  if (found.kind == cctz::time_zone::civil_lookup::REPEATED) out.is = local_lookup::kind::repeated;
  return out;
}

instant zone::at_or_after(local_seconds l) const {
  const auto found = lookup(l);
  return found.is == local_lookup::kind::skipped ? found.transition : found.first;
}

std::string local_text(local_seconds l) {
  const auto day = std::chrono::floor<std::chrono::days>(l);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{l - day};
  std::string out = std::to_string(static_cast<int>(date.year()));
  if (out.size() < 4) out.insert(0, 4 - out.size(), '0');
  padded(out += '-', static_cast<int>(static_cast<unsigned>(date.month())));
  padded(out += '-', static_cast<int>(static_cast<unsigned>(date.day())));
  padded(out += ' ', static_cast<int>(time.hours().count()));
  padded(out += ':', static_cast<int>(time.minutes().count()));
  padded(out += ':', static_cast<int>(time.seconds().count()));
  return out;
}

std::string offset_text(seconds offset) {
  const auto size = std::abs(static_cast<int>(offset.count()));
  std::string out{offset.count() < 0 ? '-' : '+'};
  padded(out, size / 3600);
  padded(out += ':', size / 60 % 60);
  if (size % 60 != 0) padded(out += ':', size % 60);
  return out;
}

}  // namespace belfry::core
