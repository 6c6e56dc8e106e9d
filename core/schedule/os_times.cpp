#include "core/schedule/os_times.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace belfry::core {
namespace {

using namespace std::chrono_literals;

constexpr unsigned minutes_of_hour = 60;
constexpr std::uint32_t days_28_to_31 = 0xF0000000;

cron_expression each_minute() {
  cron_expression c;
  c.minutes = every_minute;
  c.hours = every_hour;
  c.months = every_month;
  return c;
}

// Offsets between zones are multiples of a quarter of an hour: what one clock shows at a minute, another one
// shows at one of four.
std::uint64_t at_any_quarter(std::uint64_t minutes) {
  std::uint64_t all = 0;
  for (unsigned m = 0; m < minutes_of_hour; ++m)
    if ((minutes >> m & 1U) != 0)
      for (unsigned q = 0; q < 4; ++q) all |= std::uint64_t{1} << (m + q * 15) % minutes_of_hour;
  return all;
}

bool clock_changes(const zone& z) { return z.name() != "UTC" && !z.name().starts_with("Etc/"); }

// Reads one schedule. What is not exact says so once; the first reason stands.
class reader {
 public:
  reader(const schedule& s, const os_abilities& can) : s_{s}, can_{can} {
    out_.in = can.zones ? s.in : zone{};
  }

  result<os_times> read() {
    for (const auto& t : s_.any_of) {
      std::visit([this](const auto& each) { take(each); }, t);
      if (refused_) return *refused_;
    }
    for (const auto& e : s_.not_during) {
      if (e.instants == excluded_are::postponed) {
        everything("what is postponed has times of its own: the tick comes every minute");
        break;
      }
      inexact("what the schedule leaves out is judged by the tick");
    }
    return std::move(out_);
  }

 private:
  void inexact(const char* why) {
    out_.exact = false;
    if (out_.why.empty()) out_.why = why;
  }
  void everything(const char* why) {
    inexact(why);
    out_.any_of = {each_minute()};
    all_ = true;
  }
  void refuse(std::string why) { refused_ = failure{errc::invalid, std::move(why), {}, "belfry serve"}; }
  void add(cron_expression c) {
    if (all_) return;
    if (std::find(out_.any_of.begin(), out_.any_of.end(), c) == out_.any_of.end()) out_.any_of.push_back(c);
  }

  bool seconds_fit(const cron_expression& c) {
    if (can_.seconds || c.seconds == 1) return true;
    if (std::popcount(c.seconds) > 1) {
      refuse("it fires more than once a minute, and an entry starts at full minutes");
      return false;
    }
    everything("it fires within the minute: the tick comes at the full minute that follows");
    return false;
  }

  void reduce_days(cron_expression& c) {
    if (!can_.rare_days) {
      auto days = c.days;
      if (days.last_day) days.month_days |= days_28_to_31;
      for (unsigned w = 0; w < 7; ++w)
        if (days.nth[w] != 0 || (days.last_weekdays >> w & 1U) != 0)
          days.weekdays = static_cast<weekday_bits>(days.weekdays | 1U << w);
      days.last_day = false;
      days.nth = {};
      days.last_weekdays = 0;
      if (!(days == c.days)) inexact("the day within the month is judged by the tick");
      c.days = days;
    }
    const bool rare = c.days.last_day || c.days.last_weekdays != 0 ||
                      std::any_of(c.days.nth.begin(), c.days.nth.end(), [](auto n) { return n != 0; });
    if (c.rule == day_rule::both && (!can_.both_days || rare)) {
      inexact("the day of the month is judged by the tick");
      c.rule = day_rule::by_weekday;
      c.days.month_days = 0;
      c.days.last_day = false;
    }
    if ((c.rule == day_rule::by_weekday && c.days.weekdays == every_weekday) ||
        (c.rule == day_rule::by_number && c.days.month_days == every_month_day) ||
        (c.rule == day_rule::either &&
         (c.days.weekdays == every_weekday || c.days.month_days == every_month_day))) {
      c.rule = day_rule::every;
      c.days = {};
    }
  }

  bool same_clock() const { return can_.zones || (can_.machine && *can_.machine == s_.in); }

  // Local times of the schedule's zone.
  void take(cron_expression c) {
    if (all_ || !seconds_fit(c)) return;
    reduce_days(c);
    const bool hourly = real_time(c);
    if (!same_clock()) {
      auto wide = each_minute();
      wide.minutes = at_any_quarter(c.minutes);
      if (!hourly || c.rule != day_rule::every || c.months != every_month || wide.minutes != c.minutes)
        inexact("it names another time zone than the machine's: the hour is judged by the tick");
      c = wide;
    } else if (!hourly && s_.overlap == overlap_rule::both && clock_changes(s_.in)) {
      inexact("the repeated hour is judged by the tick");
      c.hours = every_hour;
    }
    add(c);
  }

  void take(const interval_trigger& t) {
    const auto second = [](span s) { return s % span{1s} == span{0}; };
    const auto phase = t.anchor.time_since_epoch() % t.period;
    if (t.period < span{1min}) {
      if (!can_.seconds || !second(t.period) || !second(phase) || span{1min} % t.period != span{0})
        return refuse("it fires more than once a minute, and an entry starts at full minutes");
      cron_expression c = each_minute();
      c.seconds = 0;
      for (auto at = phase; at < span{1min}; at += t.period) c.seconds |= std::uint64_t{1} << (at / span{1s});
      return add(c);
    }
    if (t.period % span{1min} != span{0} || phase % span{1min} != span{0})
      return everything("it does not fire at full minutes: the tick comes every minute");
    const auto period = t.period / span{1min};
    const auto step = std::gcd(period, std::int64_t{minutes_of_hour});
    cron_expression c = each_minute();
    c.minutes = 0;
    for (auto at = (phase / span{1min}) % step; at < minutes_of_hour; at += step)
      c.minutes |= std::uint64_t{1} << at;
    if (period != step) inexact("its hours are judged by the tick");
    // Counted in real time, whatever the clock shows.
    if (!can_.zones && !(can_.machine && can_.machine->name() == "UTC")) {
      const auto wide = at_any_quarter(c.minutes);
      if (wide != c.minutes)
        inexact("it is counted in real time, and the machine's clock may be off by minutes");
      c.minutes = wide;
    }
    add(c);
  }

  void take(const once_trigger& t) {
    auto at = std::chrono::ceil<std::chrono::seconds>(t.at.time_since_epoch());
    if (!can_.seconds) at = std::chrono::ceil<std::chrono::minutes>(at);
    const auto l = (can_.zones || !can_.machine ? out_.in : *can_.machine).local(instant{at});
    if (!can_.zones && !can_.machine) return everything("the zone of the machine is not known");
    const auto day = std::chrono::floor<std::chrono::days>(l);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{l - day};
    cron_expression c;
    c.seconds = std::uint64_t{1} << clock.seconds().count();
    c.minutes = std::uint64_t{1} << clock.minutes().count();
    c.hours = std::uint32_t{1} << clock.hours().count();
    c.months = static_cast<std::uint16_t>(1U << static_cast<unsigned>(date.month()));
    c.rule = day_rule::by_number;
    c.days.month_days = std::uint32_t{1} << static_cast<unsigned>(date.day());
    inexact("it would come again next year: the tick knows that it is over");
    add(c);
  }

  void take(const recurrence& r) {
    if (r.every > 1) inexact("which of the days, weeks, months or years it is, is judged by the tick");
    cron_expression day;
    day.months = r.unit == calendar_unit::year ? r.months : every_month;
    if (r.unit != calendar_unit::day) {
      auto days = r.days;
      if (r.month_end == month_end_rule::last_day && (days.month_days & days_28_to_31) != 0) {
        days.month_days |= days_28_to_31;
        inexact("the end of the month is judged by the tick");
      }
      const bool number = any_month_day(days), weekday = any_weekday(days);
      day.rule = number && weekday ? day_rule::either : number ? day_rule::by_number : day_rule::by_weekday;
      day.days = days;
    }
    for (const auto t : r.times) {
      auto c = day;
      const std::chrono::hh_mm_ss clock{t};
      c.seconds = std::uint64_t{1} << clock.seconds().count();
      c.minutes = std::uint64_t{1} << clock.minutes().count();
      c.hours = std::uint32_t{1} << clock.hours().count();
      take(c);
    }
  }

  void take(const event_trigger&) { refuse("it waits for an event, and an entry knows only times"); }

  const schedule& s_;
  const os_abilities& can_;
  os_times out_;
  bool all_ = false;
  std::optional<failure> refused_;
};

template <class Bits>
std::string numbers(Bits bits, unsigned low, unsigned size) {
  if (static_cast<unsigned>(std::popcount(bits)) == size) return "*";
  std::string out;
  for (unsigned v = low; v < low + size; ++v)
    if ((bits >> v & 1U) != 0)
      out += (out.empty() ? "" : ",") + std::string(v < 10 ? "0" : "") + std::to_string(v);
  return out;
}

constexpr const char* weekday_words[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::string weekday_list(weekday_bits days) {
  std::string out;
  for (unsigned w = 0; w < 7; ++w)
    if ((days >> w & 1U) != 0) out += (out.empty() ? "" : ",") + std::string(weekday_words[w]);
  return out;
}

}  // namespace

os_abilities crontab_abilities(std::optional<zone> machine) {
  return {false, std::move(machine), false, false, false};
}
os_abilities systemd_abilities() { return {true, std::nullopt, true, true, true}; }
os_abilities launchd_abilities(std::optional<zone> machine) { return crontab_abilities(std::move(machine)); }

result<os_times> os_times_of(const schedule& s, const os_abilities& can) { return reader{s, can}.read(); }

std::string crontab_fields(const cron_expression& cron) { return canonical(cron); }

std::vector<std::string> on_calendar(const cron_expression& cron, const zone& in) {
  const auto months = numbers(cron.months, 1, 12);
  const auto& d = cron.days;
  std::vector<std::string> dates;
  const auto number_dates = [&](const std::string& before) {
    if (d.month_days != 0) dates.push_back(before + "*-" + months + "-" + numbers(d.month_days, 1, 31));
    if (d.last_day) dates.push_back(before + "*-" + months + "~01");
  };
  const auto weekday_dates = [&] {
    if (d.weekdays != 0) dates.push_back(weekday_list(d.weekdays) + " *-" + months + "-*");
    for (unsigned w = 0; w < 7; ++w) {
      for (unsigned n = 1; n <= 5; ++n)
        if ((d.nth[w] >> n & 1U) != 0) {
          constexpr unsigned days_of_week = 7, longest_month = 31;
          const auto from = (n - 1) * days_of_week + 1, to = std::min(n * days_of_week, longest_month);
          std::uint32_t bits = 0;
          for (unsigned day = from; day <= to; ++day) bits |= std::uint32_t{1} << day;
          dates.push_back(std::string(weekday_words[w]) + " *-" + months + "-" + numbers(bits, 1, 31));
        }
      if ((d.last_weekdays >> w & 1U) != 0)
        dates.push_back(std::string(weekday_words[w]) + " *-" + months + "~07/1");
    }
  };
  switch (cron.rule) {
    case day_rule::every: dates.push_back("*-" + months + "-*"); break;
    case day_rule::by_number: number_dates({}); break;
    case day_rule::by_weekday: weekday_dates(); break;
    case day_rule::either:
      number_dates({});
      weekday_dates();
      break;
    case day_rule::both: number_dates(weekday_list(d.weekdays) + " "); break;
  }
  const auto time = " " + numbers(cron.hours, 0, 24) + ":" + numbers(cron.minutes, 0, 60) + ":" +
                    numbers(cron.seconds, 0, 60) + " " + in.name();
  for (auto& each : dates) each += time;
  return dates;
}

std::optional<std::vector<launchd_interval>> launchd_intervals(const os_times& times) {
  constexpr std::size_t most = 500;
  std::vector<launchd_interval> all;
  for (const auto& c : times.any_of) {
    std::vector<launchd_interval> days;
    const auto add_days = [&](const char* key, std::uint64_t bits) {
      for (unsigned v = 0; v < 32; ++v)
        if ((bits >> v & 1U) != 0) days.push_back({{key, v}});
    };
    if (c.rule == day_rule::every) days.push_back({});
    if (c.rule == day_rule::by_number || c.rule == day_rule::either) add_days("Day", c.days.month_days);
    if (c.rule == day_rule::by_weekday || c.rule == day_rule::either) add_days("Weekday", c.days.weekdays);
    const auto times_with = [&](const char* key, std::uint64_t bits, unsigned low, unsigned size) {
      if (static_cast<unsigned>(std::popcount(bits)) == size) return true;
      if (days.size() * static_cast<std::size_t>(std::popcount(bits)) > most) return false;
      std::vector<launchd_interval> next;
      for (const auto& d : days)
        for (unsigned v = low; v < low + size; ++v)
          if ((bits >> v & 1U) != 0) {
            next.push_back(d);
            next.back().emplace_back(key, v);
          }
      days = std::move(next);
      return true;
    };
    if (!times_with("Month", c.months, 1, 12) || !times_with("Hour", c.hours, 0, 24) ||
        !times_with("Minute", c.minutes, 0, 60))
      return std::nullopt;
    all.insert(all.end(), days.begin(), days.end());
    if (all.size() > most) return std::nullopt;
  }
  return all;
}

}  // namespace belfry::core
