// The schemas of timing groups.
#include "api/openapi/schema.hpp"

namespace belfry::api {

void add_timing_schemas(std::vector<schema>& all) {
  all.push_back({"TimingGroup",
                 "Jobs with one schedule",
                 {{"id", "text", "Of the schedule: the same on every node"},
                  {"label", "text", "For people; several groups may share one"},
                  {"schedule", "text", "What the members have in common; start and end are a job's own"},
                  {"zone", "text", ""},
                  {"members", "int", "Active and paused jobs"},
                  {"active", "int", ""},
                  {"paused", "int", ""},
                  {"next_at", "time?", "The first time to come of any member"},
                  {"last_fired_at", "time?", "The newest planned time that became a run"}},
                 false,
                 {}});
  all.push_back(
      {"TimingPage",
       "A page of timing groups, by id",
       {{"timings", "[]@TimingGroup", "Those of jobs that wait for events only where they are asked for"},
        {"wait_for_events", "int", "How many jobs these are, on every page"},
        {"next_cursor", "text?", ""}},
       false,
       {}});
  all.push_back({"TimingMember",
                 "A job of a timing group",
                 {{"job_id", "text", ""},
                  {"name", "text", ""},
                  {"state", "active|paused", ""},
                  {"schedule", "text", "With its own start and end"},
                  {"next_at", "time?", "null: paused, or nothing is left"},
                  {"last_fired_at", "time?", ""},
                  {"last_run_id", "text?", "The newest run, by hand or not"},
                  {"last_run_state", "text?", ""}},
                 false,
                 {}});
  all.push_back({"Timing",
                 "A timing group with a page of its members",
                 {{"jobs", "[]@TimingMember", "By age"}, {"next_cursor", "text?", ""}},
                 false,
                 "TimingGroup"});
  all.push_back({"TimingRun",
                 "What to run of a timing group",
                 {{"force", "bool", "Although paused, or another run is open"},
                  {"due", "bool",
                   "Not by hand: plan what is due by each job's cursor, as the node does by itself. What was "
                   "planned before is not planned again"}},
                 true,
                 {}});
  all.push_back({"TimingMadeRun",
                 "A run of a member",
                 {{"id", "text", ""},
                  {"state", "text", "skipped: the overlap policy of the job said so"},
                  {"due_at", "time?", "Not before then"},
                  {"reason", "text?", ""}},
                 false,
                 {}});
  all.push_back({"TimingOutcome",
                 "What became of one member",
                 {{"job_id", "text", ""},
                  {"name", "text", ""},
                  {"status", "ok|unchanged|error", ""},
                  {"runs", "[]@TimingMadeRun", ""}},
                 false,
                 "ItemError"});
  all.push_back({"TimingRunAnswer",
                 "What became of the members; of \"due\" only those that had something due",
                 {{"id", "text", ""},
                  {"label", "text", ""},
                  {"schedule", "text", ""},
                  {"members", "int", "That were looked at"},
                  {"made", "int", "Runs that were made"},
                  {"skipped", "int", "Runs that were recorded as skipped"},
                  {"refused", "int", "Members that were refused"},
                  {"items", "[]@TimingOutcome", ""},
                  {"next_cursor", "text?", "There are more members: ask again with it"}},
                 false,
                 {}});
  all.push_back(
      {"TimingPause", "Why a timing group is held", {{"text", "text", "In plain words"}}, true, {}});
  all.push_back({"TimingPauseAnswer",
                 "What became of the members",
                 {{"id", "text", ""},
                  {"label", "text", ""},
                  {"schedule", "text", ""},
                  {"members", "int", "That were looked at"},
                  {"changed", "int", ""},
                  {"refused", "int", ""},
                  {"items", "[]@TimingOutcome", ""},
                  {"next_cursor", "text?", "There are more members: ask again with it"}},
                 false,
                 {}});
}

}  // namespace belfry::api
