// TRANSFER: jobs out as JSON lines, and in again. Importing the same lines twice changes nothing the second
// time.
#include <algorithm>

#include "api/http/ops/ops.hpp"
#include "api/json/failures.hpp"
#include "api/json/jobs.hpp"

namespace belfry::api {
namespace {

using core::errc;

constexpr std::size_t jobs_per_page = 100;
constexpr std::size_t most_import_lines = 10'000;
constexpr std::size_t import_body = 32U << 20;

// Page by page, each when the one before has gone out.
class export_feed : public std::enable_shared_from_this<export_feed> {
 public:
  export_feed(exchange_ptr x, bool archived) : x_(std::move(x)), archived_(archived) {}

  // The first page is read before the answer begins, so that a node that cannot read says so with a status.
  void next() {
    messages::list_jobs q;
    q.archived_too = archived_;
    q.limit = jobs_per_page;
    q.after = after_;
    x_->node().node.ask(std::move(q),
                        x_->whole<core::job_page>(
                            [self = shared_from_this()](const exchange_ptr&, core::result<core::job_page> p) {
                              self->came(std::move(p));
                            }));
  }

 private:
  void came(core::result<core::job_page> p) {
    if (gone_) return;
    if (!p) return out_ ? out_->abort() : x_->refuse(p.error());
    if (!out_) {
      response head;
      head.content_type = lines_type;
      head.headers.emplace_back("Content-Disposition", "attachment; filename=\"belfry-jobs.jsonl\"");
      out_ = x_->begin_stream(std::move(head), [self = shared_from_this()] { self->gone_ = true; });
      if (!out_ || gone_) return;
    }
    json::writer w{p->jobs.size() * 512 + 16};
    for (const auto& j : p->jobs) json::write_export_line(w, j);
    after_ = p->next;
    const bool last = after_ == 0;
    if (w.size() == 0) return out_->finish();
    out_->write(w.take(), [self = shared_from_this(), last](bool ok) {
      if (!ok || self->gone_) return;
      if (last)
        self->out_->finish();
      else
        self->next();
    });
  }

  exchange_ptr x_;
  bool archived_;
  std::shared_ptr<stream> out_;
  std::int64_t after_ = 0;
  bool gone_ = false;
};

void export_jobs(const exchange_ptr& x) {
  json::problems found;
  const bool archived = flag_parameter(*x, "archived", found);
  if (!found.empty()) return x->refuse(found.refusal());
  std::make_shared<export_feed>(x, archived)->next();
}

struct line {
  std::size_t number = 0;
  json::import_line what;
};

// All lines are checked before anything is changed.
core::result<std::vector<line>> read_lines(std::string_view body) {
  std::vector<line> lines;
  json::problems found;
  std::size_t number = 0;
  while (!body.empty()) {
    const auto end = body.find('\n');
    const auto text = body.substr(0, end);
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    ++number;
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (lines.size() == most_import_lines)
      return fail_with(errc::too_large, "there are more than " + std::to_string(most_import_lines) +
                                            " lines; import them in several requests");
    auto one = json::read_import_line(text);
    if (one) {
      lines.push_back({number, std::move(*one)});
      continue;
    }
    const auto at = "/" + std::to_string(number);
    if (one.error().problems.empty()) found.add({at, "", "a line of an export", one.error().text});
    for (auto& p : one.error().problems) {
      p.pointer = at + p.pointer;
      found.add(std::move(p), one.error().code);
    }
  }
  if (!found.empty()) return found.refusal();
  return lines;
}

class importer : public std::enable_shared_from_this<importer> {
 public:
  importer(exchange_ptr x, std::vector<line> lines, bool dry, bool replace)
      : x_(std::move(x)),
        lines_(std::move(lines)),
        dry_(dry),
        replace_(replace),
        answer_(lines_.size() * 120 + 256) {
    answer_.begin_object().member("dry_run", dry_).key("items").begin_array();
  }

  void next() {
    if (at_ == lines_.size()) return finish();
    if (lines_[at_].what.whole) return take();
    if (lines_[at_].what.archived()) return done("skipped", {});
    x_->node().node.ask(
        messages::get_job{name()},
        x_->whole<core::job>([self = shared_from_this()](const exchange_ptr&, core::result<core::job> j) {
          self->looked(j);
        }));
  }

 private:
  const std::string& name() const { return lines_[at_].what.job.definition.name; }

  // A line of this format says the whole job; the store judges it by what it has itself.
  void take() {
    const auto& wanted = lines_[at_].what;
    messages::put_job m;
    m.definition = wanted.job.definition;
    if (m.definition.spec.unchecked) m.definition.spec.unchecked.by = x_->actor;
    m.actor = x_->actor;
    m.import = std::make_shared<const core::import_terms>(core::import_terms{wanted.past, replace_, dry_});
    x_->node().node.call(std::move(m), x_->whole<messages::job_stored>(
                                           [self = shared_from_this()](const exchange_ptr&,
                                                                       core::result<messages::job_stored> s) {
                                             if (s)
                                               self->done(core::to_text(s->imported), s->job.id, s->note);
                                             else
                                               self->failed(s.error());
                                           }));
  }

  // A line of the first format, or one that a hand wrote.
  void looked(const core::result<core::job>& j) {
    const auto& wanted = lines_[at_].what;
    // A name can be the beginning of an id; that job is another one.
    const bool there = j && j->definition && j->definition->name == name();
    if (!j && j.error().code != errc::not_found && j.error().code != errc::ambiguous)
      return failed(j.error());
    if (there && *j->definition == wanted.job.definition) return pause(*j, "unchanged", 0);
    const std::string_view result = there ? "replaced" : "created";
    if (dry_) return done(result, there ? j->id : core::job_id{});
    messages::put_job m;
    m.definition = wanted.job.definition;
    // What another node had is taken as it is: its programs may come later.
    if (m.definition.spec.unchecked) m.definition.spec.unchecked.by = x_->actor;
    m.start_paused = wanted.job.start_paused;
    m.actor = x_->actor;
    if (there) {
      m.id = j->id;
      m.expected_revision = j->revision;
    }
    x_->node().node.call(std::move(m), x_->whole<messages::job_stored>(
                                           [self = shared_from_this(), result](
                                               const exchange_ptr&, core::result<messages::job_stored> s) {
                                             if (s)
                                               self->pause(s->job, result, 0);
                                             else
                                               self->failed(s.error());
                                           }));
  }

  // The pauses of the line that the job does not have yet, one after the other.
  void pause(const core::job& j, std::string_view result, std::size_t from) {
    const auto& pauses = lines_[at_].what.past.pauses;
    for (std::size_t i = from; i < pauses.size() && !dry_; ++i) {
      const bool held = std::any_of(j.pauses.begin(), j.pauses.end(),
                                    [&](const core::pause_entry& p) { return p.reason == pauses[i].reason; });
      if (held) continue;
      messages::pause_job m{j.id, pauses[i].reason, pauses[i].text, x_->actor};
      return x_->node().node.call(
          std::move(m),
          x_->whole<messages::job_stored>([self = shared_from_this(), result, i](
                                              const exchange_ptr&, core::result<messages::job_stored> s) {
            if (s)
              self->pause(s->job, result, i + 1);
            else
              self->failed(s.error());
          }));
    }
    done(result, j.id);
  }

  void begin_item() { answer_.begin_object().member("line", lines_[at_].number).member("name", name()); }

  void done(std::string_view result, core::job_id id, std::string_view note = {}) {
    begin_item();
    answer_.member("result", result).member("job_id", id);
    if (!note.empty()) answer_.member("note", note);
    answer_.end_object();
    (result == "created"    ? created_
     : result == "replaced" ? replaced_
     : result == "skipped"  ? skipped_
     : result == "kept"     ? kept_
                            : unchanged_) += 1;
    step();
  }

  void failed(const core::failure& f) {
    begin_item();
    answer_.member("result", "error");
    json::write_failure_members(answer_, f);
    answer_.end_object();
    ++failed_;
    step();
  }

  // Through the strand, so that ten thousand lines that need no question do not nest ten thousand calls.
  void step() {
    ++at_;
    x_->line().post(make_task([self = shared_from_this()] { self->next(); }));
  }

  void finish() {
    answer_.end_array()
        .member("created", created_)
        .member("replaced", replaced_)
        .member("unchanged", unchanged_);
    answer_.member("kept", kept_).member("skipped", skipped_).member("failed", failed_).end_object();
    answer_json(*x_, answer_);
  }

  exchange_ptr x_;
  std::vector<line> lines_;
  bool dry_, replace_;
  json::writer answer_;
  std::size_t at_ = 0;
  std::size_t created_ = 0, replaced_ = 0, unchanged_ = 0, kept_ = 0, skipped_ = 0, failed_ = 0;
};

void import_jobs(const exchange_ptr& x) {
  json::problems found;
  const bool dry = flag_parameter(*x, "dry_run", found);
  const bool replace = flag_parameter(*x, "replace", found);
  if (!found.empty()) return x->refuse(found.refusal());
  auto lines = read_lines(x->in.body);
  if (!lines) return x->refuse(lines.error());
  std::make_shared<importer>(x, std::move(*lines), dry, replace)->next();
}

}  // namespace

void add_transfer_routes(std::vector<route>& all) {
  all.push_back({verb::get,
                 "/v1/export",
                 "export_jobs",
                 "operations",
                 "All jobs as JSON lines, without loss",
                 scope::read,
                 export_jobs,
                 body_kind::none,
                 {},
                 {{"archived", parameter_type::boolean, "archived ones too"}},
                 {{200, {}, "JSON lines", lines_type}},
                 {errc::invalid, errc::unknown_field},
                 false,
                 0});
  all.push_back(
      {verb::post,
       "/v1/import",
       "import_jobs",
       "operations",
       "Create or replace jobs from the lines of an export, at most 10,000 and 32 MiB",
       scope::admin,
       import_jobs,
       body_kind::lines,
       {},
       {{"dry_run", parameter_type::boolean, "check and show what would be, change nothing"},
        {"replace", parameter_type::boolean, "jobs that were changed here after the line was written, too"}},
       {{200, "ImportAnswer", "A result for each line"}},
       {errc::malformed, errc::invalid, errc::unknown_field, errc::unknown_handler, errc::too_large},
       false,
       import_body});
}

}  // namespace belfry::api
