// The schemas of schedules and occurrences.
#include "api/openapi/schema.hpp"

namespace belfry::api {

void add_schedule_schemas(std::vector<schema>& all) {
  constexpr bool required = true;
  all.push_back(
      {"ScheduleExpression",
       "An expression to be understood",
       {{"expression", "text", "Cron, an @ form, or a phrase; docs/reference/schedules.md", required},
        {"zone", "text", "IANA name, where the expression names none; default UTC"},
        {"name", "text", "Of a job: what H is derived from"},
        {"from", "time", "Where \"in 5 minutes\" and the next times count from; default now"},
        {"count", "int", "How many times, 0 to 1,000; default 5"},
        {"not_on", "[]text", "Dates that are excluded besides"},
        {"not_between", "[]text", "Times such as 22:00-06:00, over midnight too"},
        {"not_in", "[]text", "Calendars, by name"},
        {"excluded", "skip|postpone", "What becomes of a time in one of the three; default skip"}},
       true,
       {}});
  all.push_back({"ScheduleMeaning",
                 "What was understood",
                 {{"expression", "text", "As it was given"},
                  {"canonical", "text", "The one text that stands for it; read back as the same schedule"},
                  {"description", "text", "In words; read back as the same schedule"},
                  {"label", "text", "Of its timing group"},
                  {"zone", "text", "Its time zone"},
                  {"zone_data", "text?", "Version of the zone files, where they say it"},
                  {"on_event", "bool", "It has no times: an event is waited for"},
                  {"from", "time", "Where it counts from"},
                  {"next", "[]@PlannedTime", "The next times, oldest first"},
                  {"left_out", "[]@LeftOut",
                   "Times up to the last of these that are excluded or postponed, in ranges; at most 64"}},
                 false,
                 {}});
  all.push_back({"PlannedTime",
                 "A time to come",
                 {{"at", "time", "In UTC"},
                  {"local", "text", "As the clock of the zone shows it"},
                  {"offset", "text", "Of the zone from UTC then"},
                  {"clock", "none|gap|first_pass|second_pass",
                   "What a change of the clock did: moved out of a gap, or in the first or second pass of a "
                   "repeated hour"}},
                 false,
                 {}});
  const std::vector<property> calendar{
      {"name", "text", ""},
      {"source", "dates|ics", "What it was made of"},
      {"revision", "int", "From 1; each change of what it excludes is one more"},
      {"periods", "int", "Excluded times in it; days that touch are one"},
      {"left_out", "int", "Events of the file that were cancelled or transparent"},
      {"created_at", "time", ""},
      {"created_by", "text?", ""},
      {"changed_at", "time", ""},
      {"changed_by", "text?", ""}};
  const auto with_calendar = [&](std::vector<property> more) {
    more.insert(more.begin(), calendar.begin(), calendar.end());
    return more;
  };
  all.push_back(
      {"CalendarContent",
       "What is excluded: one of the two",
       {{"dates", "any",
         "A list of dates and of ranges such as 2026-12-24..2027-01-01, or a text of them; # begins a "
         "remark"},
        {"ics", "text", "The text of an iCalendar file, at most 4 MiB"}},
       true,
       {}});
  all.push_back({"Calendar",
                 "Excluded time under a name",
                 with_calendar({{"used_by", "int", "Jobs that name it"},
                                {"planning", "int", "Of these: still planned by what it excluded before"},
                                {"jobs", "[]text", "Their names, the first 20"},
                                {"windows", "[]text", "Maintenance windows that name it"},
                                {"coming", "[]@ExcludedTime", "The next ones, at most 20; of one calendar"}}),
                 false,
                 {}});
  all.push_back({"ExcludedTime",
                 "Of a calendar",
                 {{"from", "text", "By the clock of the schedule, or RFC 3339 where the file names a zone"},
                  {"to", "text", "Not included"}},
                 false,
                 {}});
  all.push_back({"CalendarList", "Calendars", {{"calendars", "[]@Calendar", ""}}, false, {}});
  all.push_back({"CalendarStored",
                 "What became of a calendar",
                 with_calendar({{"result", "created|replaced|unchanged|removed", ""},
                                {"replanned", "int", "Jobs that were planned anew in the same commit"},
                                {"more", "bool", "Others follow in a moment"}}),
                 false,
                 {}});
  all.push_back({"WindowDefinition",
                 "A maintenance window",
                 {{"schedule", "text", "When it opens: cron, an @ form, or a phrase", required},
                  {"zone", "text", "IANA name, where the schedule names none; default UTC"},
                  {"for", "text", "How long it stays open, such as 2h; 1s to 31d", required},
                  {"drain", "bool", "Say in the journal when nothing runs any more under it"},
                  {"text", "text", "Why, for whoever looks at it"},
                  {"workspace", "text", "Only this workspace; empty: what has none"},
                  {"agent_type", "text", "Only sessions of this type"}},
                 true,
                 {}});
  const std::vector<property> window{
      {"name", "text", ""},
      {"schedule", "text", "In canonical form, with its zone"},
      {"description", "text?", "In words"},
      {"length_ms", "int", "How long it stays open"},
      {"scope", "scheduler|workspace|agent_type", "What it holds"},
      {"workspace", "text", ""},
      {"agent_type", "text", ""},
      {"drain", "bool", ""},
      {"text", "text?", ""},
      {"revision", "int", "From 1"},
      {"open", "bool", "Nothing new is claimed now"},
      {"opens_at", "time?", "Of the opening that it is in, else of the next; null: there is none to come"},
      {"closes_at", "time?", ""},
      {"created_at", "time", ""},
      {"created_by", "text?", ""},
      {"changed_at", "time", ""},
      {"changed_by", "text?", ""},
      {"command", "text", "Closes it now, or skips the next opening"}};
  all.push_back({"Window", "A maintenance window", window, false, {}});
  all.push_back({"WindowList", "Maintenance windows", {{"windows", "[]@Window", ""}}, false, {}});
  all.push_back({"WindowStored",
                 "What became of a window",
                 {{"result", "created|replaced|unchanged|removed", ""}},
                 false,
                 "Window"});
  all.push_back({"LeftOut",
                 "Times that the triggers say and an exclusion leaves out or postpones",
                 {{"reason", "text", "excluded or postponed"},
                  {"exclusion", "text?", "Such as calendar holidays, or times 22:00-06:00"},
                  {"first", "time", ""},
                  {"last", "time", ""},
                  {"count", "int", ""},
                  {"at_least", "bool", "There are more than `count`"},
                  {"moved_to", "time?", "Postponed ones are due then"}},
                 false,
                 {}});
  all.push_back({"Occurrence",
                 "What became of planned times: one that is a run, or a range that was skipped",
                 {{"at", "time", "As planned; of a range the last one"},
                  {"outcome", "run|skipped", ""},
                  {"occurrence_id", "text", "Made of job and time alone"},
                  {"run_id", "text", ""},
                  {"state", "text", "Of the run"},
                  {"reason", "text?", "Of the run's state, or why they were skipped"},
                  {"start_at", "time", "With jitter and the fire limit"},
                  {"caught_up", "bool", "It was missed, and made up for"},
                  {"limited", "bool", "The fire limit moved it"},
                  {"clock", "none|gap|first_pass|second_pass", "What a change of the clock did"},
                  {"postponed_from", "time?", "It was meant for this time, and an exclusion postponed it"},
                  {"exclusion", "text?", "That left them out or postponed them, such as calendar holidays"},
                  {"first", "time", "Of the range"},
                  {"last", "time", "Of the range"},
                  {"count", "int", "Planned times in it that were not made"},
                  {"at_least", "bool", "There are more than `count`"},
                  {"moved_to", "time?", "Postponed ones are made then"},
                  {"noted_at", "time", "When that was decided"}},
                 false,
                 {}});
  all.push_back({"OccurrencePage",
                 "A page of occurrences",
                 {{"occurrences", "[]@Occurrence", ""}, {"next_cursor", "text?", ""}},
                 false,
                 {}});
}

}  // namespace belfry::api
