// SUBMIT: one run, or a batch.
#include <algorithm>
#include <tuple>

#include "api/http/guard.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/runs.hpp"
#include "api/json/spec.hpp"
#include "api/json/submissions.hpp"
#include "core/run/validate.hpp"
#include "core/session/session.hpp"

namespace belfry::api {
namespace {

using core::errc;

// W3C trace context, version 00. An invalid header is as good as none (section 2.2.4 of the recommendation).
bool good_traceparent(const std::string& text) {
  core::run_spec probe;
  probe.name = "x";
  probe.handler = core::handler_kind::none;
  probe.traceparent = text;
  return core::check(probe, {}, {}).empty();
}

std::string new_traceparent(platform::randomness& chance) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  out.reserve(55);
  out += "00-";
  const auto append = [&](std::uint64_t bits) {
    for (int shift = 60; shift >= 0; shift -= 4) out += hex[bits >> static_cast<unsigned>(shift) & 15U];
  };
  append(chance.bits() | 1U);
  append(chance.bits());
  out += '-';
  append(chance.bits() | 1U);
  return out += "-01";
}

core::submission submission_of(const exchange& x, json::run_draft d) {
  if (d.spec->traceparent.empty()) {
    if (!x.in.traceparent.empty() && good_traceparent(x.in.traceparent))
      d.spec->traceparent = x.in.traceparent;
    else
      d.spec->traceparent = new_traceparent(*x.node().chance);
  }
  core::submission s;
  s.spec = std::move(d.spec);
  s.id = d.id;
  s.due_at = d.due_at;
  s.actor = x.actor;
  return s;
}

// A submission with capabilities that nobody here has is taken all the same: a worker may still come. Only
// such submissions are asked about, so that the others pay nothing for it.
constexpr std::size_t most_asked_about = 20;

std::vector<messages::wanted> special_needs(const messages::submitted& s) {
  std::vector<messages::wanted> found;
  for (const auto& run : s.runs) {
    const auto& needs = run.head.needs;
    if (needs.capabilities.empty() || core::terminal(run.head.state)) continue;
    const auto kind = run.spec ? run.spec->handler : core::handler_kind::none;
    const bool known = std::any_of(found.begin(), found.end(), [&](const messages::wanted& f) {
      return f.handler == kind && f.needs == needs;
    });
    if (known) continue;
    if (found.size() == most_asked_about) break;
    found.push_back({needs, kind});
  }
  return found;
}

struct warning {
  std::vector<std::string> capabilities;
};
using warnings = std::vector<warning>;

template <class Answer>
void with_warnings(const exchange_ptr& x, messages::submitted s, Answer answer) {
  auto asked = special_needs(s);
  if (asked.empty()) return answer(x, s, warnings{});
  x->node().node.call(
      messages::ask_capable{asked},
      x->whole<messages::capable>(
          [s = std::move(s), asked, answer](const exchange_ptr& y, core::result<messages::capable> told) {
            warnings found;
            if (told)
              for (std::size_t i = 0; i < asked.size() && i < told->somebody.size(); ++i)
                if (!told->somebody[i]) found.push_back({asked[i].needs.capabilities});
            answer(y, s, found);
          }));
}

// What every answer says while the queue presses, written once for all that see the same figures: those of
// one commit.
struct pressure_words {
  core::pressure of = {};
  std::string header;
  std::string warning;  // JSON
};
const pressure_words& words_for(const core::pressure& p) {
  thread_local pressure_words last;
  const auto read = [](const core::pressure& of) {
    return std::tie(of.queued, of.wait, of.rule.at, of.rule.mode);
  };
  if (last.header.empty() || read(last.of) != read(p)) {
    json::writer w;
    w.begin_object().member("code", "backpressure").member("text", core::told(p));
    w.texts("capabilities", std::vector<std::string>{}).end_object();
    last = {p, core::signal_of(p), w.take()};
  }
  return last;
}

void write_warnings(json::writer& w, const warnings& found, const core::pressure& p) {
  w.key("warnings").begin_array();
  for (const auto& each : found) {
    std::string words;
    for (const auto& c : each.capabilities) words += (words.empty() ? "" : ", ") + c;
    w.begin_object().member("code", "no_capable_session");
    w.member("text", "no session that is registered now, and no agent type, could take work that needs " +
                         words + "; it waits until one comes");
    w.texts("capabilities", each.capabilities).end_object();
  }
  if (core::pressing(p)) w.raw(words_for(p).warning);
  w.end_array();
}

// With every answer to a submission, for the price of a look at a few numbers.
header_list headers_with_signal(const exchange& x, std::string location, bool replayed) {
  auto headers = made_headers(std::move(location), replayed);
  if (const auto p = x.node().node.pressure(); core::pressing(p))
    headers.emplace_back("Belfry-Backpressure", words_for(p).header);
  return headers;
}

void answer_one(const exchange_ptr& x, const messages::submitted& s, const warnings& found) {
  if (s.runs.empty()) return x->refuse(fail_with(errc::internal, "the node answered without the run"));
  json::writer w{384};
  w.begin_object();
  json::write_submitted_members(w, s.runs.front(), !s.replayed);
  write_warnings(w, found, x->node().node.pressure());
  w.end_object();
  answer_json(*x, w, 201,
              headers_with_signal(*x, "/v1/runs/" + core::to_string(s.runs.front().head.id), s.replayed));
}

void answer_batch(const exchange_ptr& x, const messages::submitted& s, const warnings& found) {
  json::writer w{s.runs.size() * 22 + 128};
  w.begin_object()
      .member("batch_id", s.batch)
      .member("count", s.runs.size())
      .member("created", !s.replayed)
      .key("ids")
      .begin_array();
  for (const auto& r : s.runs) w.id_value(core::run_tag::prefix, r.head.id.value);
  w.end_array();
  write_warnings(w, found, x->node().node.pressure());
  w.end_object();
  answer_json(*x, w, 201,
              headers_with_signal(*x, s.batch ? "/v1/batches/" + core::to_string(s.batch) : std::string{},
                                  s.replayed));
}

// What a dry run says of a run: what it would be, and who could take it now.
void write_planned(json::writer& w, const json::run_draft& d, core::instant now,
                   const std::vector<core::session>& there) {
  w.begin_object()
      .member("state", d.due_at > now ? "scheduled" : "queued")
      .member("due_at", d.due_at)
      .key("run")
      .begin_object();
  json::write_spec_members(w, *d.spec);
  w.end_object().key("warnings").begin_array();
  bool somebody = false;
  for (const auto& s : there) somebody = somebody || core::may_take(s, d.spec->needs, d.spec->handler);
  if (!somebody) w.text("no session that is registered now, and no agent type, could take it; it would wait");
  w.end_array().end_object();
}

void answer_dry_run(const exchange_ptr& x, std::vector<json::run_draft> drafts) {
  x->node().node.ask(
      messages::list_sessions{},
      x->then<std::vector<core::session>>(
          [drafts = std::move(drafts)](const exchange_ptr& y, std::vector<core::session> there) {
            const auto now = y->node().time.now();
            json::writer w{1024};
            w.begin_object().member("dry_run", true).member("valid", true).key("runs").begin_array();
            for (const auto& d : drafts) write_planned(w, d, now, there);
            w.end_array().end_object();
            answer_json(*y, w);
          }));
}

void submit_one(const exchange_ptr& x) {
  auto draft = json::read_submission(x->in.body, x->node().time.now());
  if (!draft) return x->refuse(draft.error());
  json::problems found;
  const bool dry = flag_parameter(*x, "dry_run", found);
  if (!found.empty()) return x->refuse(found.refusal());
  auto no = look_at(*x, *draft->spec, {});
  if (dry) {
    if (no) return x->refuse(*no);
    std::vector<json::run_draft> one;
    one.push_back(std::move(*draft));
    return answer_dry_run(x, std::move(one));
  }
  messages::submit_runs m;
  m.once = once_of(*x);
  m.actor = x->actor;
  m.refusal = std::move(no);
  m.runs.push_back(submission_of(*x, std::move(*draft)));
  x->node().node.call(std::move(m),
                      x->then<messages::submitted>([](const exchange_ptr& y, messages::submitted s) {
                        with_warnings(y, std::move(s), answer_one);
                      }));
}

constexpr std::size_t most_mistakes_told = 50;

std::optional<core::failure> look_at_all(const exchange& x, std::vector<json::run_draft>& drafts) {
  std::optional<core::failure> all;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    auto no = look_at(x, *drafts[i].spec, "/runs/" + std::to_string(i));
    if (no && all) {
      for (auto& p : no->problems)
        if (all->problems.size() < most_mistakes_told) all->problems.push_back(std::move(p));
    } else if (no)
      all = std::move(no);
  }
  return all;
}

void submit_batch(const exchange_ptr& x) {
  auto drafts = json::read_batch(x->in.body, x->node().time.now());
  if (!drafts) return x->refuse(drafts.error());
  json::problems found;
  const bool dry = flag_parameter(*x, "dry_run", found);
  if (!found.empty()) return x->refuse(found.refusal());
  auto no = look_at_all(*x, *drafts);
  if (dry && no) return x->refuse(*no);
  if (dry) return answer_dry_run(x, std::move(*drafts));
  messages::submit_runs m;
  m.refusal = std::move(no);
  m.as_batch = true;
  m.once = once_of(*x);
  m.actor = x->actor;
  m.runs.reserve(drafts->size());
  for (auto& d : *drafts) m.runs.push_back(submission_of(*x, std::move(d)));
  x->node().node.call(std::move(m),
                      x->then<messages::submitted>([](const exchange_ptr& y, messages::submitted s) {
                        with_warnings(y, std::move(s), answer_batch);
                      }));
}

}  // namespace

void add_submit_routes(std::vector<route>& all) {
  const parameter dry{"dry_run", parameter_type::boolean, "check and show what would be, change nothing"};
  all.push_back(
      {verb::post,
       "/v1/runs",
       "submit_run",
       "runs",
       "Submit one run",
       scope::operate,
       submit_one,
       body_kind::json,
       "Submission",
       {dry},
       {{201, "Submitted", "The run is stored; Idempotency-Replayed tells that an earlier request made it"},
        {200, "DryRun", "With dry_run: what would be"}},
       {errc::malformed, errc::invalid, errc::unknown_field, errc::unknown_handler, errc::conflict,
        errc::idempotency_mismatch, errc::idempotency_in_progress, errc::storage_full},
       true,
       0});
  all.push_back(
      {verb::post,
       "/v1/runs:batch",
       "submit_batch",
       "runs",
       "Submit up to 1,000 runs as one batch, all or none",
       scope::operate,
       submit_batch,
       body_kind::json,
       "BatchSubmission",
       {dry},
       {{201, "SubmittedBatch", "All runs are stored"}, {200, "DryRun", "With dry_run: what would be"}},
       {errc::malformed, errc::invalid, errc::unknown_field, errc::unknown_handler, errc::too_large,
        errc::conflict, errc::idempotency_mismatch, errc::idempotency_in_progress, errc::storage_full},
       true,
       0});
}

}  // namespace belfry::api
