// SLOW CRON: an obviously right reference. It looks at every minute, one after the other, and asks what the
// clock shows. It shares nothing with core but the zone's offset: fields are sets of numbers that were made
// together with their text.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/schedule/schedule.hpp"

namespace slow_cron {

using namespace belfry::core;

struct field {
  std::string text;
  std::set<int> values;
};

struct expression {
  field second, minute, hour, month_day, month, weekday;
  bool seconds = false;
  bool star_joined = false;           // a day field begins with a star
  std::set<std::pair<int, int>> nth;  // weekday and which
  std::set<int> last_weekdays;
  bool last_day = false;
  std::string text() const {
    return (seconds ? second.text + ' ' : "") + minute.text + ' ' + hour.text + ' ' + month_day.text + ' ' +
           month.text + ' ' + weekday.text;
  }
};

class maker {
 public:
  explicit maker(std::uint64_t seed) : dice_{seed} {}
  int pick(int low, int high) {
    return low + static_cast<int>(dice_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return pick(1, 100) <= percent; }

  field some(int low, int high, int star_percent) {
    if (chance(star_percent)) return all("*", low, high, 1);
    if (chance(25)) {
      const int step = pick(1, (high - low) / 2);
      return all("*/" + std::to_string(step), low, high, step);
    }
    field f;
    for (int items = pick(1, 3); items > 0; --items) {
      const int a = pick(low, high);
      std::string text = std::to_string(a);
      int b = a;
      int step = 1;
      if (chance(40)) {
        b = pick(a, high);
        text += '-' + std::to_string(b);
        if (b > a && chance(40)) {
          step = pick(1, b - a);
          text += '/' + std::to_string(step);
        }
      } else if (chance(15)) {
        step = pick(1, high - low);
        b = high;
        text += '/' + std::to_string(step);
      }
      for (int v = a; v <= b; v += step) f.values.insert(v);
      f.text += (f.text.empty() ? "" : ",") + text;
    }
    return f;
  }

  expression make() {
    expression e;
    e.seconds = chance(15);
    e.second = e.seconds ? some(0, 59, 10) : field{"0", {0}};
    e.minute = some(0, 59, 20);
    e.hour = some(0, 23, 35);
    e.month_day = some(1, 31, 50);
    e.month = some(1, 12, 70);
    e.weekday = some(0, 6, 50);
    if (chance(10)) {
      e.month_day.text += ",L";
      e.last_day = true;
    }
    if (chance(10)) {
      const int w = pick(0, 6);
      const int n = pick(1, 5);
      e.weekday.text += ',' + std::to_string(w) + '#' + std::to_string(n);
      e.nth.insert({w, n});
    }
    if (chance(10)) {
      const int w = pick(0, 6);
      e.weekday.text += ',' + std::to_string(w) + 'L';
      e.last_weekdays.insert(w);
    }
    e.star_joined = e.month_day.text.front() == '*' || e.weekday.text.front() == '*';
    return e;
  }

  std::mt19937_64& dice() { return dice_; }

 private:
  static field all(std::string text, int low, int high, int step) {
    field f{std::move(text), {}};
    for (int v = low; v <= high; v += step) f.values.insert(v);
    return f;
  }
  std::mt19937_64 dice_;
};

inline bool day_fits(const expression& e, std::chrono::local_days day) {
  using namespace std::chrono;
  const year_month_day date{day};
  const int d = static_cast<int>(static_cast<unsigned>(date.day()));
  const int w = static_cast<int>(weekday{day}.c_encoding());
  const year_month_day tomorrow{day + days{1}};
  const year_month_day next_week{day + days{7}};
  const bool last_day = tomorrow.month() != date.month();
  const bool last_week = next_week.month() != date.month();
  const bool number = e.month_day.values.count(d) > 0 || (e.last_day && last_day);
  const bool wday = e.weekday.values.count(w) > 0 || e.nth.count({w, (d - 1) / 7 + 1}) > 0 ||
                    (last_week && e.last_weekdays.count(w) > 0);
  if (e.month.values.count(static_cast<int>(static_cast<unsigned>(date.month()))) == 0) return false;
  return e.star_joined ? number && wday : number || wday;
}

inline bool minute_fits(const expression& e, local_seconds l) {
  const auto day = std::chrono::floor<std::chrono::days>(l);
  const auto m = static_cast<int>((l - day) / std::chrono::minutes{1});
  return e.hour.values.count(m / 60) > 0 && e.minute.values.count(m % 60) > 0 && day_fits(e, day);
}

// All instants in (after, upto], both on full minutes.
inline std::vector<instant> fires(const expression& e, const schedule& s, instant after, instant upto) {
  using namespace std::chrono;
  const bool real_time = e.hour.values.size() == 24;
  std::vector<instant> found;
  // What the clock has shown already matters only after a change of it: no zone goes back by more than a day.
  auto begin = after - minutes{1};
  for (int h = 1; h <= 30; ++h)
    if (s.in.offset(after - hours{h}) != s.in.offset(after)) begin = after - hours{30};
  auto highest = s.in.local(begin);
  auto before = highest - minutes{1};
  for (auto t = begin; t <= upto; t += minutes{1}) {
    const auto l = s.in.local(t);
    std::vector<instant> here;
    if (l > before + minutes{1} && !real_time && s.gap == gap_rule::first_valid)
      for (auto lost = before + minutes{1}; lost < l; lost += minutes{1})
        if (minute_fits(e, lost)) {
          here.push_back(t);
          break;
        }
    const bool again = l < highest || (l == highest && t != begin);
    if (minute_fits(e, l) && (!again || real_time || s.overlap == overlap_rule::both))
      for (const int second : e.second.values) here.push_back(t + seconds{second});
    for (const auto at : here)
      if (at > after && at <= upto && (found.empty() || found.back() < at)) found.push_back(at);
    highest = std::max(highest, l);
    before = l;
  }
  return found;
}

}  // namespace slow_cron
