#include "actors/support/message_types.hpp"
// after the message types
#include "actors/claim_hook/claim_hook.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/support/failures.hpp"
#include "core/run/exit.hpp"
#include "core/time/text.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;
using platform::metric;

namespace {

constexpr core::span hook_call_margin = std::chrono::milliseconds{250};
constexpr std::size_t longest_complaint = 200;
constexpr std::size_t whole_line = (16U << 10U) - 4;  // longer ones come in pieces

failure hook_trouble(std::string text) { return {errc::unavailable, std::move(text), {}, "belfry doctor"}; }

// What a command has written so far. Only the thread of the processes touches it before the end.
struct hook_output {
  std::string out, last_error;
  bool too_long = false;

  void take(const platform::output_line& line) {
    if (line.stream == core::log_stream::err) {
      last_error = line.text.substr(0, longest_complaint);
      return;
    }
    if (too_long || out.size() + line.text.size() > core::longest_hook_answer) {
      too_long = true;
      return;
    }
    out += line.text;
    if (line.text.size() < whole_line) out += '\n';
  }
};

}  // namespace

claim_hook::claim_hook(caf::actor_config& cfg, claim_hook_deps deps)
    : claim_hook_actor::base(cfg), deps_{std::move(deps)}, tag_{std::to_string(id())} {}

auto claim_hook::make_behavior() -> behavior_type {
  return {
      [this](const ask_claim_hook& asked) { return ask(asked); },
      [this](const hook_spoke& news) { spoke(news); },
      [this](const read_with& other) { deps_.reader = other.who; },
      [this](const alarm_rang& ring) {
        if (alarm_.rang(ring)) look();
      },
  };
}

void claim_hook::on_exit() {
  if (deps_.calls != nullptr) deps_.calls->abandon();
  for (const auto number : processes_) deps_.processes->abandon(tag_ + key_of(number), [] {});
  processes_.clear();
  questions_.clear();
  deps_.reader = nullptr;
}

caf::result<claim_hook::hook_answer> claim_hook::ask(const ask_claim_hook& asked) {
  if (asked.runs.empty() || asked.runs.size() > core::most_hook_candidates)
    return hook_answer{failure{errc::invalid, "a question is about 1 to 100 runs", {}, {}}};
  auto [guard, promise] = answer_later<hook_answer>(this);
  const auto now = deps_.clock->now();
  const auto number = ++last_;  // and the time, so that it is not used again by the next node
  auto& q = questions_[number];
  q.what.id = "clm_" + std::to_string(core::micros(now)) + "_" + std::to_string(number);
  q.what.at = now;
  q.what.who = asked.who;
  q.what.max = asked.max;
  q.what.runs.resize(asked.runs.size());
  q.reads = asked.runs.size();
  q.answer = guard;
  const auto end = core::later(now, deps_.options.timeout);
  ends_.set(static_cast<std::int64_t>(number), end);
  alarm_.arm(claim_hook_actor{this}, end, now);
  for (std::size_t i = 0; i < asked.runs.size(); ++i) read_run(number, i, asked.runs[i]);
  return promise;
}

// The board knows no names; the rows do.
void claim_hook::read_run(std::uint64_t number, std::size_t place, core::run_id run) {
  request(deps_.reader, caf::infinite, query{get_run{to_string(run)}})
      .then(
          [this, number, place](core::result<query_answer>& found) {
            const auto it = questions_.find(number);
            if (it == questions_.end()) return;
            const auto* row = found ? std::get_if<core::run>(&*found) : nullptr;
            if (row == nullptr || row->head.state != core::run_state::queued) return read_done(number);
            const auto& head = row->head;
            auto& told = it->second.what.runs[place];
            told.id = head.id;
            told.name = head.name;
            told.job = head.job;
            told.prio = head.prio;
            told.attempt = head.attempt + 1;
            told.workspace = head.needs.workspace;
            told.lane = head.lane;
            told.handler = row->spec ? row->spec->handler : core::handler_kind::none;
            told.eligible_since = head.eligible_since;
            if (!head.job) return read_done(number);
            read_job(number, place, head.job);
          },
          [this, number](caf::error& e) { finish(number, failure_of(e, "reader")); });
}

void claim_hook::read_job(std::uint64_t number, std::size_t place, core::job_id job) {
  request(deps_.reader, caf::infinite, query{get_job{to_string(job)}})
      .then(
          [this, number, place, job](core::result<query_answer>& found) {
            const auto it = questions_.find(number);
            if (it == questions_.end()) return;
            // Without its name nobody can say whether the job is among those named, so nothing is handed
            // over.
            const auto* row = found ? std::get_if<core::job>(&*found) : nullptr;
            if (row == nullptr || row->definition == nullptr)
              return finish(number, hook_trouble("the job " + to_string(job) + " cannot be read"));
            it->second.what.runs[place].job_name = row->definition->name;
            read_done(number);
          },
          [this, number](caf::error& e) { finish(number, failure_of(e, "reader")); });
}

void claim_hook::read_done(std::uint64_t number) {
  const auto it = questions_.find(number);
  if (it != questions_.end() && --it->second.reads == 0) gathered(number);
}

// What has gone meanwhile is left out, and what the hook is not asked about.
void claim_hook::gathered(std::uint64_t number) {
  auto& q = questions_.at(number);
  std::vector<core::hook_run> about;
  for (auto& run : q.what.runs) {
    if (!run.id) continue;
    if (core::concerns(deps_.options, run.handler, run.job) &&
        core::concerns_job(deps_.options, run.job, run.job_name)) {
      q.said.asked.push_back(run.id);
      about.push_back(std::move(run));
      continue;
    }
    q.said.exempt.push_back(run.id);
    if (run.job && !core::concerns_job(deps_.options, run.job, run.job_name))
      q.said.strange.push_back(run.job);
  }
  q.what.runs = std::move(about);
  if (q.what.runs.empty()) {
    auto said = std::move(q.said);
    return finish(number, hook_answer{std::move(said)});
  }
  waiting_.push_back(number);
  next();
}

void claim_hook::next() {
  while (!waiting_.empty() && under_way_ < deps_.options.concurrency) {
    const auto number = waiting_.front();
    waiting_.pop_front();
    if (const auto it = questions_.find(number); it != questions_.end()) put(number, it->second);
  }
}

void claim_hook::put(std::uint64_t number, question& q) {
  q.out = true;
  ++under_way_;
  if (!deps_.options.command.empty()) return run_command(number, q);
  call_address(number, q);
}

void claim_hook::run_command(std::uint64_t number, const question& q) {
  platform::process_order order;
  order.what.argv = deps_.options.command;
  order.input = deps_.text_of(q.what);
  order.env.emplace_back("BELFRY_SESSION", to_string(q.what.who.id));
  order.env.emplace_back("BELFRY_AGENT_TYPE", q.what.who.agent_type);
  order.mark = deps_.mark;
  order.grace = std::chrono::seconds{1};
  auto written = std::make_shared<hook_output>();
  platform::process_events events;
  events.output = [written](const std::vector<platform::output_line>& lines) {
    for (const auto& line : lines) written->take(line);
  };
  events.ended = [me = claim_hook_actor{this}, number, written,
                  within = deps_.options.timeout](const platform::process_report& r) {
    hook_spoke news;
    news.question = number;
    news.process = true;
    const auto verdict = core::judge_exit({}, r.end, within);
    if (!verdict.success) {
      news.body = "the claim hook failed: " + verdict.message +
                  (written->last_error.empty() ? "" : ": " + written->last_error);
    } else if (written->too_long) {
      news.body = "the claim hook wrote more than " + std::to_string(core::longest_hook_answer) + " bytes";
    } else {
      news.heard = true;
      news.body = std::move(written->out);
    }
    caf::anon_send(me, std::move(news));
  };
  processes_.insert(number);
  deps_.processes->start(tag_ + key_of(number), std::move(order), std::move(events));
}

void claim_hook::call_address(std::uint64_t number, const question& q) {
  platform::webhook_order order;
  order.url = deps_.options.url;
  order.secret = deps_.options.secret;
  order.id = q.what.id;
  order.at = q.what.at;
  order.body = deps_.text_of(q.what);
  order.timeout = deps_.options.timeout + hook_call_margin;  // the time that counts is ours
  order.keep = core::longest_hook_answer;
  deps_.calls->post(std::move(order),
                    [me = claim_hook_actor{this}, number](const platform::webhook_report& r) {
                      hook_spoke news;
                      news.question = number;
                      news.heard = r.status / 100 == 2;
                      if (news.heard)
                        news.body = r.body;
                      else if (r.status == 0)
                        news.body = "the claim hook failed: " + r.trouble;
                      else
                        news.body = "the claim hook answered with status " + std::to_string(r.status);
                      caf::anon_send(me, std::move(news));
                    });
}

void claim_hook::spoke(const hook_spoke& news) {
  if (news.process) processes_.erase(news.question);
  if (under_way_ > 0) --under_way_;
  if (const auto it = questions_.find(news.question); it != questions_.end()) {
    if (!news.heard) {
      finish(news.question, hook_trouble(news.body));
    } else if (auto verdict = deps_.verdict_of(news.body)) {
      it->second.said.verdict = std::move(*verdict);
      auto said = std::move(it->second.said);
      finish(news.question, hook_answer{std::move(said)});
    } else {
      finish(news.question, hook_trouble("the claim hook said what cannot be read: " + verdict.error().text));
    }
  }
  next();
}

void claim_hook::finish(std::uint64_t number, hook_answer how) {
  const auto it = questions_.find(number);
  if (it == questions_.end()) return;
  ends_.clear(static_cast<std::int64_t>(number));
  if (it->second.out)
    deps_.says.observe(metric::claim_hook_seconds, seconds(deps_.clock->now() - it->second.what.at));
  const auto answer = it->second.answer;
  questions_.erase(it);
  answer->deliver(std::move(how));
}

void claim_hook::look() {
  const auto now = deps_.clock->now();
  for (const auto key : ends_.take_due(now, ends_.size())) {
    const auto number = static_cast<std::uint64_t>(key);
    if (processes_.contains(number))
      deps_.processes->stop(tag_ + key_of(number), platform::stop_reason::timeout);
    const bool out = questions_.contains(number) && questions_.at(number).out;
    finish(number,
           failure{errc::timed_out,
                   out ? "the claim hook did not answer within " + core::to_text(deps_.options.timeout)
                       : "no question could be put to the claim hook within " +
                             core::to_text(deps_.options.timeout) + ": " + std::to_string(under_way_) +
                             " are under way",
                   {},
                   "belfry doctor"});
  }
  if (const auto at = ends_.next()) alarm_.arm(claim_hook_actor{this}, *at, now);
}

}  // namespace belfry::actors
