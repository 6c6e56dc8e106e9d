#include "app/imports/ncp.hpp"

#include <algorithm>
#include <array>

#include "app/client/json_view.hpp"
#include "core/text/utf8.hpp"
#include "core/time/text.hpp"

namespace belfry::app {
namespace {

// What a task has that a job says, that belongs to a run, or that only ncp's own groups need.
constexpr std::array<std::string_view, 17> understood{
    "id",     "name",           "description",     "timingId",        "cronExpression", "timezone",
    "tool",   "parameters",     "fireOnce",        "maxExecutions",   "endDate",        "createdAt",
    "status", "executionCount", "lastExecutionId", "lastExecutionAt", "nextExecutionAt"};
constexpr core::span task_timeout = std::chrono::minutes{5};  // ncp's own
constexpr std::uint32_t tasks_at_once = 16;

class ncp_reader {
 public:
  ncp_reader(const ncp_options& o, std::string version) : o_(o), names_(o.prefix) {
    out_.kind = "ncp";
    out_.origin = o.origin;
    out_.notes.push_back("the file is of version " + std::move(version));
  }

  import_source read(view tasks, view timings) {
    tasks.members([&](const std::string& id, view task) {
      if (out_.entries < most_import_lines) return one(id, task, timings);
      if (out_.entries == most_import_lines)
        refuse_entry(out_, "task " + id, {}, "the file has too many tasks; what follows was not read");
    });
    return std::move(out_);
  }

 private:
  void one(const std::string& id, view task, view timings) {
    const auto from = "task " + core::shown(id, 60);
    constexpr std::size_t longest = 8'000;
    auto text = compact(task.raw());
    const auto no = [&](std::string why) { refuse_entry(out_, from, text, std::move(why)); };
    if (!task.is(api::json::kind::object)) return no("it is no object");
    if (text.size() > longest) text = id;
    imported_job job;
    job.from = from;
    const auto status = task["status"].text();
    if (status == "completed") return no("it is completed: it would never run again");
    if (status != "active" && status != "paused" && status != "error" && !status.empty())
      return no("its status " + core::shown(status, 40) + " is not known");
    core::schedule when;
    if (const auto why = schedule(task, timings, when, job); !why.empty()) return no(why);
    auto& d = job.definition;
    const auto name = task["name"].text();
    const auto tool = task["tool"].text();
    if (tool.empty()) return no("it names no tool");
    d.name = names_.named(name.empty() ? id : name);
    d.description = task["description"].text();
    d.spec.process.argv = {o_.program, "run", tool, "--params",
                           task["parameters"].there() ? compact(task["parameters"].raw()) : "{}"};
    d.spec.timeout = task_timeout;
    d.spec.retry.max_attempts = 1;
    d.on_overlap = core::overlap::allow;
    d.max_concurrent = tasks_at_once;
    d.timing.policy.missed = core::catch_up::skip;
    if (const auto why = limits(task, job); !why.empty()) return no(why);
    if (status == "paused" || status == "error") {
      job.paused = true;
      job.notes.push_back(status == "paused"
                              ? "it was paused, and arrives paused"
                              : "it had failed (" + core::shown(task["errorMessage"].text(), 120) +
                                    "), and arrives paused");
    }
    tell_rest(task, job);
    add_entry(out_, std::move(job), &when, text);
  }

  std::string schedule(view task, view timings, core::schedule& when, imported_job& job) {
    auto cron = task["cronExpression"].text(), zone = task["timezone"].text();
    if (const auto id = task["timingId"].text(); !id.empty()) {
      const auto timing = timings[id];
      if (!timing.there() && cron.empty()) return "its timing " + core::shown(id, 60) + " is not in the file";
      if (timing.there()) {
        cron = timing["cronExpression"].text();
        if (const auto its = timing["timezone"].text(); !its.empty()) zone = its;
      }
    }
    if (zone.empty()) {
      zone = o_.zone;
      job.notes.push_back("it names no zone: that of this machine, " + zone);
    }
    const auto in = core::zone::named(zone);
    if (!in) return "the zone " + core::shown(zone, 80) + " is not known; an IANA name is needed";
    const auto read = core::parse_cron(cron);
    if (!read) return "cron \"" + core::shown(cron, 60) + "\": " + told(read.problem());
    when.any_of = {*read};
    when.in = *in;
    job.says = cron;
    if (const auto end = task["endDate"].text(); !end.empty()) {
      const auto at = core::parse_instant(end);
      if (!at) return "its endDate " + core::shown(end, 40) + " is no time with an offset";
      when.ends = *at;
    }
    return {};
  }

  static std::string limits(view task, imported_job& job) {
    auto& most = job.definition.timing.policy.most_runs;
    const auto done = std::max<std::int64_t>(task["executionCount"].number(), 0);
    const auto wanted = task["fireOnce"].truth() ? 1 : task["maxExecutions"].number();
    if (wanted <= 0) return {};
    if (done >= wanted)
      return "it has run " + std::to_string(done) + " of " + std::to_string(wanted) + " times";
    most = wanted - done;
    if (done > 0)
      job.notes.push_back("it ran " + std::to_string(done) + " of " + std::to_string(wanted) + " times, so " +
                          std::to_string(most) + " are left");
    return {};
  }

  static void tell_rest(view task, imported_job& job) {
    std::string left;
    task.members([&](const std::string& key, view value) {
      if (!value.there() || std::find(understood.begin(), understood.end(), key) != understood.end()) return;
      if (key == "errorMessage") return;
      left += (left.empty() ? "" : ", ") + core::shown(key, 40);
    });
    if (!left.empty()) job.notes.push_back("left out: " + left);
  }

  const ncp_options& o_;
  import_names names_;
  import_source out_;
};

}  // namespace

core::result<import_source> read_ncp(std::string_view text, const ncp_options& options) {
  const auto parsed = json_text::parse(std::string{text});
  if (!parsed) return parsed.error();
  const auto version = (*parsed)["version"].text();
  const bool second = version.starts_with("2.");
  const auto tasks = (*parsed)[second ? "tasks" : "jobs"];
  if ((!second && version != "1" && !version.starts_with("1.")) || !tasks.is(api::json::kind::object)) {
    core::failure f{core::errc::invalid, "this is no file of ncp that is known", {}, {}};
    f.problems.push_back({"/version", core::shown(version, 40),
                          "1.0.0 with jobs, or 2.0.0 with tasks and timings",
                          "it is of another kind or version"});
    return f;
  }
  return ncp_reader{options, version}.read(tasks, (*parsed)["timings"]);
}

}  // namespace belfry::app
