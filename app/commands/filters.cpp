#include "app/commands/filters.hpp"

#include <sstream>

#include "app/output/words.hpp"
#include "core/time/text.hpp"

namespace belfry::app {
namespace {

// "2h" counts back from now; anything else is an instant.
std::optional<std::string> instant_of(const std::optional<std::string>& given, core::instant now,
                                      const std::string& option) {
  if (!given) return std::nullopt;
  if (const auto back = core::parse_span(*given)) return core::to_rfc3339(core::later(now, -*back));
  if (const auto at = core::parse_instant(*given)) return core::to_rfc3339(*at);
  throw refusal(exit_code::usage, option + ": '" + *given + "' is no time",
                {"allowed: how long ago, such as 2h or 7d, or an instant such as 2026-11-21T10:00:00Z"}, {});
}

// "--state failed,lost" and "--state failed --state lost" say the same.
std::vector<std::string> split(const std::vector<std::string>& given) {
  std::vector<std::string> all;
  for (const auto& each : given) {
    std::istringstream in(each);
    for (std::string part; std::getline(in, part, ',');)
      if (!part.empty()) all.push_back(part);
  }
  return all;
}

}  // namespace

bool run_filters::any() const {
  return !states.empty() || !tags.empty() || !tags_any.empty() || job || batch || workspace || lane ||
         priority || session || name_has || since || until || ended_since || ended_until || dead;
}

void declare(command& c, run_filters& f) {
  c.option("--state,-s", f.states, "STATE", "in this state; repeatable or with commas", complete::states);
  c.option("--job,-j", f.job, "JOB", "of this job, by id or name", complete::jobs);
  c.option("--batch", f.batch, "BATCH", "of this batch", complete::batches);
  c.option("--workspace", f.workspace, "NAME", "of this workspace");
  c.option("--lane", f.lane, "LANE", "of this lane");
  c.option("--priority", f.priority, "LEVEL", "of this priority", complete::priorities);
  c.option("--session", f.session, "SES", "held by this session now", complete::sessions);
  c.option("--tag", f.tags, "TAG", "with this tag; with several, all of them");
  c.option("--tag-any", f.tags_any, "TAG", "with any of these tags");
  c.option("--name-has,-q", f.name_has, "TEXT", "with this in the name");
  c.option("--since", f.since, "TIME", "made after this: 2h ago, or an instant");
  c.option("--until", f.until, "TIME", "made before this");
  c.option("--ended-since", f.ended_since, "TIME", "ended after this");
  c.option("--ended-until", f.ended_until, "TIME", "ended before this");
  c.flag("--dead", f.dead, "dead letters: ended badly, neither retried nor discarded");
}

void declare_waiting(command& c, run_filters& f) {
  c.option("--job,-j", f.job, "JOB", "of this job, by id or name", complete::jobs);
  c.option("--batch", f.batch, "BATCH", "of this batch", complete::batches);
  c.option("--workspace", f.workspace, "NAME", "of this workspace");
  c.option("--lane", f.lane, "LANE", "of this lane");
  c.option("--priority", f.priority, "LEVEL", "of this priority", complete::priorities);
  c.option("--tag", f.tags, "TAG", "with this tag; with several, all of them");
  c.option("--tag-any", f.tags_any, "TAG", "with any of these tags");
  c.option("--name-has,-q", f.name_has, "TEXT", "with this in the name");
  c.option("--since", f.since, "TIME", "made after this: 2h ago, or an instant");
  c.option("--until", f.until, "TIME", "made before this");
}

query_text to_query(const run_filters& f, core::instant now) {
  query_text q;
  q.add("state", joined(split(f.states), ","))
      .add("job", f.job)
      .add("batch", f.batch)
      .add("workspace", f.workspace)
      .add("lane", f.lane);
  q.add("priority", f.priority)
      .add("session", f.session)
      .each("tag", split(f.tags))
      .each("tag_any", split(f.tags_any))
      .add("q", f.name_has);
  q.add("created_from", instant_of(f.since, now, "--since"))
      .add("created_to", instant_of(f.until, now, "--until"));
  q.add("ended_from", instant_of(f.ended_since, now, "--ended-since"))
      .add("ended_to", instant_of(f.ended_until, now, "--ended-until"));
  if (f.dead) q.add("dead", std::string("true"));
  return q;
}

void write_filter(api::json::writer& w, const run_filters& f, core::instant now) {
  const auto put = [&](std::string_view name, const std::optional<std::string>& value) {
    if (value) w.member(name, *value);
  };
  w.begin_object();
  if (!f.states.empty()) w.texts("state", split(f.states));
  put("job", f.job);
  put("batch", f.batch);
  put("workspace", f.workspace);
  put("lane", f.lane);
  put("priority", f.priority);
  put("session", f.session);
  if (!f.tags.empty()) w.texts("tag", split(f.tags));
  if (!f.tags_any.empty()) w.texts("tag_any", split(f.tags_any));
  put("q", f.name_has);
  put("created_from", instant_of(f.since, now, "--since"));
  put("created_to", instant_of(f.until, now, "--until"));
  put("ended_from", instant_of(f.ended_since, now, "--ended-since"));
  put("ended_to", instant_of(f.ended_until, now, "--ended-until"));
  if (f.dead) w.member("dead", true);
  w.end_object();
}

}  // namespace belfry::app
