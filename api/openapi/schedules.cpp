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
        {"count", "int", "How many times, 0 to 1,000; default 5"}},
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
                  {"next", "[]@PlannedTime", "The next times, oldest first"}},
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
                  {"limited", "bool", "A fire limit moved it"},
                  {"limited_by", "none|job|workspace|node", "Whose fire limit moved it last"},
                  {"clock", "none|gap|first_pass|second_pass", "What a change of the clock did"},
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
