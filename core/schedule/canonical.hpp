// CANONICAL: every schedule as one line of text, and back.
//
// The line is what rows keep, what timing groups are identified by, and what a phrase is echoed as. Schedules
// that mean the same are written the same as far as that can be seen from their parts. Grammar
// (docs/reference/schedules.md):
//
//   trigger {"|" trigger} {";" clause}
//   trigger  five or six cron fields · @hourly … · @at T · @every SPAN [from T] · @days N from D at TIMES
//            · @weeks N from D on DAYS at TIMES · @months N … · @years N from D in MONTHS on DAYS at TIMES
//            [until D] [short-months last] · @event NAME [where …] [debounce SPAN] [hold SPAN] [depth N]
//   clause   [not|postpone] dates D,… · … times H:M-H:M [on DAYS] · … calendar NAME · zone Z · gap skip
//            · overlap both · start T · end T · jitter SPAN
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/schedule/problem.hpp"
#include "core/schedule/schedule.hpp"

namespace belfry::core {

// What a text is read against.
struct schedule_context {
  instant now = never;  // where "in 5 minutes" and "every 2 days" count from; at `never` they count from 1970
  zone in;              // of expressions that name none
  std::optional<std::uint64_t> seed;  // for H of cron, see cron_context
  // The calendars that may be named; empty function: there are none.
  std::function<std::shared_ptr<const calendar>(std::string_view)> calendars;
  // It was checked when it was stored. A calendar that was changed since may leave nothing of it.
  bool stored = false;
};

std::string canonical(const trigger& t);
// As a clause says it, without "not" or "postpone": "times 22:00-06:00 on sat,sun", "calendar holidays".
std::string canonical(const exclusion& e);
// Names its zone always.
std::string canonical(const schedule& s);
// What jobs of one timing group have in common: the canonical text without start and end, which are a job's
// own. Two schedules with the same key are due at the same instants within their bounds.
std::string timing_key(const schedule& s);
// A short text for people, derived from the key: "every-5min", "daily-9am", "weekly-mon-9am-europe-berlin",
// otherwise "custom-" and eight hex digits. Several keys may share one.
std::string timing_label(const schedule& s);
// The same from the key alone; of one that cannot be read here (a zone or a calendar that is not there), the
// custom form.
std::string timing_label_of(const std::string& key);
// The zone that a canonical text names.
std::string_view zone_name_in(std::string_view key);

// Cron, macros and the @ forms, with clauses.
parsed<schedule> parse_canonical(std::string_view text, const schedule_context& context);
// One clause, as `canonical` says it: "dates 2026-12-25", "times 22:00-06:00", "calendar holidays".
parsed<exclusion> parse_exclusion(std::string_view clause, excluded_are kind,
                                  const schedule_context& context);
// The calendars that a schedule names, each once, in order.
std::vector<std::string> calendars_of(const schedule& s);
// Likewise of a canonical text, whether or not there are such calendars.
std::vector<std::string> calendars_named_in(const std::string& text);
bool names_calendar(const std::string& text, const std::string& calendar);
// Any name will do: to read what a text says before its calendars are known. None of them excludes anything.
std::shared_ptr<const calendar> any_calendar(std::string_view name);
// Whatever a user may write: the above, or a phrase (core/schedule/phrase.hpp). What it gives has passed
// `check`.
parsed<schedule> parse_schedule(std::string_view text, const schedule_context& context);

// Days of a month as a list without blanks: "1-7,15,L", "mon,fri#2,friL". Empty parts are left out.
std::string days_text(const day_set& days);
// Reads such a list; nothing when it is not one.
std::optional<day_set> days_from(std::string_view lower);
// Conditions of an event as one word: "env=prod,user!=ci,host". Nothing for more than 16.
std::string filters_text(const std::vector<event_condition>& filters);
std::optional<std::vector<event_condition>> filters_from(std::string_view word);
// "1,4-6" as bits of a field; nothing when it is not a list within low..low+size-1.
std::optional<std::uint64_t> bits_from(std::string_view list, unsigned low, unsigned size);

}  // namespace belfry::core
