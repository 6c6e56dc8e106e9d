// JOBS: definitions: create, list, get, replace, patch, archive.
#include <charconv>

#include "api/http/ops/calendars.hpp"
#include "api/http/ops/job_answers.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/jobs.hpp"
#include "core/schedule/canonical.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api {
namespace {

using core::errc;

constexpr int most_tries = 4;  // of a replacement that met another one

// What would be stored. The store is not asked, so the calendars that it names are looked for here.
void answer_plan(const exchange_ptr& x, std::string_view result, core::job_definition d) {
  const auto names = core::calendars_named_in(d.timing.schedule);
  with_calendars(
      x, names, [result, names, d = std::move(d)](const exchange_ptr& y, const json::calendar_finder& found) {
        for (const auto& name : names) {
          if (found(name)) continue;
          auto no = fail_with(errc::invalid, "there is no calendar " + name, "belfry calendar ls");
          no.problems.push_back(
              {"/schedule", name, "a name that belfry calendar ls shows", "there is no such calendar"});
          return y->refuse(no);
        }
        answer_planned_job(*y, result, d);
      });
}

void create_job(const exchange_ptr& x) {
  auto draft = json::read_job(x->in.body, {}, x->node().time.now());
  if (!draft) return x->refuse(draft.error());
  json::problems found;
  const bool dry = flag_parameter(*x, "dry_run", found);
  if (!found.empty()) return x->refuse(found.refusal());
  auto no = look_at(*x, draft->definition.spec, {});
  if (dry && no) return x->refuse(*no);
  if (dry) return answer_plan(x, "created", std::move(draft->definition));
  messages::put_job m;
  m.refusal = std::move(no);
  m.definition = std::move(draft->definition);
  m.start_paused = draft->start_paused;
  m.trial = draft->trial;
  m.once = once_of(*x);
  m.actor = x->actor;
  x->node().node.call(std::move(m),
                      x->then<messages::job_stored>([](const exchange_ptr& y, messages::job_stored s) {
                        answer_job(*y, s.job, 201, {}, s.replayed, s.trial);
                      }));
}

void list_jobs(const exchange_ptr& x) {
  json::problems found;
  messages::list_jobs q;
  q.archived_too = flag_parameter(*x, "archived", found);
  q.name_contains = x->parameter("q");
  q.limit = static_cast<std::size_t>(whole_parameter(*x, "limit", 50, 1, 500, found));
  const auto bound = hash_of("jobs\n" + q.name_contains + (q.archived_too ? "\narchived" : ""));
  q.after = read_cursor(*x, bound, found);
  if (!found.empty()) return x->refuse(found.refusal());
  x->node().node.ask(std::move(q), x->then<core::job_page>([bound](const exchange_ptr& y, core::job_page p) {
    json::writer w{p.jobs.size() * 400 + 64};
    w.begin_object().key("jobs").begin_array();
    for (const auto& j : p.jobs) {
      w.begin_object();
      json::write_job_members(w, j, false);
      w.end_object();
    }
    w.end_array();
    write_cursor(w, p.next, bound);
    w.end_object();
    answer_json(*y, w);
  }));
}

void get_job(const exchange_ptr& x) {
  with_job_named(x, [](const exchange_ptr& y, core::job j) { answer_job(*y, j, 200, {}, false); });
}

// The revision that If-Match names; 0 when there is none or it is *.
core::result<std::uint32_t> expected_revision(const exchange& x) {
  std::string_view text = x.in.if_match;
  if (text.empty() || text == "*") return std::uint32_t{0};
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  std::uint32_t n = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  if (r.ec == std::errc{} && r.ptr == text.data() + text.size() && n > 0) return n;
  core::failure f{errc::invalid, "the header If-Match is no revision", {}, {}};
  f.problems.push_back({"header:If-Match", core::shown(x.in.if_match, 40),
                        "the ETag of the job, such as \"3\"", "it is not a revision"});
  return f;
}

core::failure other_revision(std::uint32_t expected, const core::job& j) {
  return fail_with(
      errc::precondition_failed,
      "the job is at revision " + std::to_string(j.revision) + ", not " + std::to_string(expected),
      "belfry job show " + (j.definition ? j.definition->name : core::to_string(j.id)));
}

void put(const exchange_ptr& x, int tries);

void store(const exchange_ptr& x, messages::put_job m, std::string_view result, int tries) {
  x->node().node.call(std::move(m),
                      x->whole<messages::job_stored>(
                          [result, tries](const exchange_ptr& y, core::result<messages::job_stored> s) {
                            if (s)
                              return answer_job(*y, s->job, s->created || result == "created" ? 201 : 200,
                                                result, s->replayed, s->trial);
                            // Somebody else made or changed it between our look and our word.
                            const bool raced = s.error().code == errc::precondition_failed ||
                                               s.error().code == errc::already_exists;
                            if (raced && y->in.if_match.empty() && tries > 1) return put(y, tries - 1);
                            y->refuse(s.error());
                          }));
}

bool meant(const core::job& j, const std::string& text) {
  return (j.definition && j.definition->name == text) || core::to_string(j.id) == text ||
         core::parse_id<core::job_id>(text).ok();
}

void put_new(const exchange_ptr& x, int tries) {
  const auto& text = x->arguments.front();
  if (!x->in.if_match.empty())
    return x->refuse(fail_with(errc::precondition_failed, "there is no job " + text.substr(0, 100)));
  if (core::parse_id<core::job_id>(text))
    return x->refuse(fail_with(errc::not_found, "there is no job " + text, "belfry job list"));
  auto draft = json::read_job(x->in.body, text, x->node().time.now());
  if (!draft) return x->refuse(draft.error());
  if (const auto no = look_at(*x, draft->definition.spec, {})) return x->refuse(*no);
  if (x->parameter("dry_run") == "true") return answer_plan(x, "created", std::move(draft->definition));
  messages::put_job m;
  m.definition = std::move(draft->definition);
  m.start_paused = draft->start_paused;
  m.trial = draft->trial;
  m.actor = x->actor;
  store(x, std::move(m), "created", tries);
}

// "every 2 days" counts from when it is said. Said again, as files of declarations do, it means what it meant
// when the job was made or changed, if that is what is stored.
core::result<json::job_draft> read_again(const exchange& x, const core::job& j, std::string_view name) {
  auto draft = json::read_job(x.in.body, name, x.node().time.now());
  if (!draft || !j.definition || draft->definition.timing.schedule == j.definition->timing.schedule)
    return draft;
  for (const auto then : {j.created_at, j.updated_at}) {
    auto earlier = json::read_job(x.in.body, name, then);
    if (earlier && earlier->definition == *j.definition) return earlier;
  }
  return draft;
}

void put_known(const exchange_ptr& x, const core::job& j, int tries) {
  const auto expected = expected_revision(*x);
  if (!expected) return x->refuse(expected.error());
  if (*expected != 0 && *expected != j.revision) return x->refuse(other_revision(*expected, j));
  const bool by_id = core::parse_id<core::job_id>(x->arguments.front()).ok();
  // By id the body may give another name; by name it has to be this one.
  auto draft = read_again(*x, j, by_id ? std::string_view{} : std::string_view{x->arguments.front()});
  if (!draft) return x->refuse(draft.error());
  const auto no = look_at(*x, draft->definition.spec, {});
  const bool same =
      j.definition && *j.definition == draft->definition && j.state != core::job_state::archived;
  if (no && !same) return x->refuse(*no);  // what is stored already is not judged again
  if (x->parameter("dry_run") == "true")
    return answer_plan(x, same ? "unchanged" : "replaced", std::move(draft->definition));
  if (same) return answer_job(*x, j, 200, "unchanged", false);
  messages::put_job m;
  m.id = j.id;
  m.expected_revision = j.revision;
  m.definition = std::move(draft->definition);
  m.actor = x->actor;
  store(x, std::move(m), "replaced", tries);
}

void put(const exchange_ptr& x, int tries) {
  x->node().node.ask(messages::get_job{x->arguments.front()},
                     x->whole<core::job>([tries](const exchange_ptr& y, core::result<core::job> j) {
                       if (j && meant(*j, y->arguments.front())) return put_known(y, *j, tries);
                       if (j || j.error().code == errc::not_found || j.error().code == errc::ambiguous)
                         return put_new(y, tries);
                       y->refuse(j.error());
                     }));
}

void put_job(const exchange_ptr& x) {
  json::problems found;
  (void)flag_parameter(*x, "dry_run", found);
  if (!found.empty()) return x->refuse(found.refusal());
  put(x, most_tries);
}

void patch_job(const exchange_ptr& x) {
  with_job_named(x, [](const exchange_ptr& y, core::job j) {
    const auto expected = expected_revision(*y);
    if (!expected) return y->refuse(expected.error());
    if (*expected != 0 && *expected != j.revision) return y->refuse(other_revision(*expected, j));
    if (!j.definition) return y->refuse(fail_with(errc::internal, "the job has no definition"));
    auto patched = json::read_job_patch(y->in.body, *j.definition, y->node().time.now());
    if (!patched) return y->refuse(patched.error());
    if (*patched == *j.definition) return answer_job(*y, j, 200, "unchanged", false);
    if (const auto no = look_at(*y, patched->spec, {})) return y->refuse(*no);
    messages::put_job m;
    m.id = j.id;
    m.expected_revision = j.revision;
    m.definition = std::move(*patched);
    m.actor = y->actor;
    y->node().node.call(std::move(m),
                        y->then<messages::job_stored>([](const exchange_ptr& z, messages::job_stored s) {
                          answer_job(*z, s.job, 200, "replaced", false);
                        }));
  });
}

void archive(const exchange_ptr& x) {
  with_job_named(x, [](const exchange_ptr& y, core::job j) {
    const auto expected = expected_revision(*y);
    if (!expected) return y->refuse(expected.error());
    if (*expected != 0 && *expected != j.revision) return y->refuse(other_revision(*expected, j));
    y->node().node.call(messages::archive_job{j.id, y->actor},
                        y->then<messages::job_stored>([](const exchange_ptr& z, messages::job_stored s) {
                          answer_job(*z, s.job, 200, {}, false);
                        }));
  });
}

}  // namespace

void answer_job(exchange& x, const core::job& j, unsigned status, std::string_view result, bool replayed,
                core::run_id trial) {
  json::writer w{1024};
  w.begin_object();
  if (!result.empty()) w.member("result", result);
  json::write_job_members(w, j, true);
  if (!result.empty() || status == 201) w.member("trial_run_id", trial);
  w.end_object();
  auto headers = made_headers(status == 201 ? "/v1/jobs/" + core::to_string(j.id) : std::string{}, replayed);
  headers.emplace_back("ETag", "\"" + std::to_string(j.revision) + "\"");
  answer_json(x, w, status, std::move(headers));
}

void answer_planned_job(exchange& x, std::string_view result, const core::job_definition& d) {
  json::writer w{1024};
  w.begin_object().member("dry_run", true).member("result", result).member("name", d.name).key("definition");
  json::write_definition(w, d);
  w.end_object();
  answer_json(x, w);
}

void add_job_routes(std::vector<route>& all) {
  const parameter dry{"dry_run", parameter_type::boolean, "check and show what would be, change nothing"};
  all.push_back({verb::post,
                 "/v1/jobs",
                 "create_job",
                 "jobs",
                 "Create a job",
                 scope::operate,
                 create_job,
                 body_kind::json,
                 "JobDefinition",
                 {dry},
                 {{201, "JobMade", "The job is stored"}, {200, "PlannedJob", "With dry_run: what would be"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::already_exists,
                  errc::idempotency_mismatch, errc::idempotency_in_progress},
                 true,
                 0});
  all.push_back({verb::get,
                 "/v1/jobs",
                 "list_jobs",
                 "jobs",
                 "List jobs",
                 scope::read,
                 list_jobs,
                 body_kind::none,
                 {},
                 {{"q", parameter_type::text, "with this text in the name"},
                  {"archived", parameter_type::boolean, "archived ones too"},
                  {"limit", parameter_type::whole, "rows of a page, 1 to 500; default 50"},
                  {"cursor", parameter_type::text, "next_cursor of the page before"}},
                 {{200, "JobPage", "A page of jobs"}},
                 {errc::invalid, errc::unknown_field},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/jobs/{id}",
                 "get_job",
                 "jobs",
                 "A job, by id, name or beginning of the id; ETag is its revision",
                 scope::read,
                 get_job,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Job", "The job"}},
                 {errc::not_found, errc::ambiguous},
                 false,
                 0});
  all.push_back({verb::put,
                 "/v1/jobs/{id}",
                 "put_job",
                 "jobs",
                 "Replace a job, or create the one of this name; If-Match guards the revision",
                 scope::operate,
                 put_job,
                 body_kind::json,
                 "JobDefinition",
                 {dry},
                 {{200, "JobResult", "result is replaced or unchanged; with dry_run what would be"},
                  {201, "JobResult", "result is created"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found,
                  errc::precondition_failed, errc::already_exists, errc::invalid_transition},
                 false,
                 0});
  all.push_back({verb::patch,
                 "/v1/jobs/{id}",
                 "patch_job",
                 "jobs",
                 "Change some members of a job's definition",
                 scope::operate,
                 patch_job,
                 body_kind::json,
                 "JobPatch",
                 {},
                 {{200, "JobResult", "result is replaced or unchanged"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous,
                  errc::precondition_failed, errc::already_exists, errc::invalid_transition},
                 false,
                 0});
  all.push_back({verb::remove,
                 "/v1/jobs/{id}",
                 "archive_job",
                 "jobs",
                 "Archive a job; its runs stay",
                 scope::operate,
                 archive,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Job", "The archived job"}},
                 {errc::not_found, errc::ambiguous, errc::precondition_failed, errc::invalid_transition},
                 false,
                 0});
}

}  // namespace belfry::api
