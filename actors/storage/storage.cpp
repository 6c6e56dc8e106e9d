#include "actors/support/message_types.hpp"
// after the message types
#include "actors/storage/storage.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/support/change_sets.hpp"

namespace belfry::actors {

using core::errc;
using core::failure;
using platform::metric;
using storage::change_set;
using storage::receipt;

namespace {

// After the disk was found full: how long until the store tries to write a word of its own, and again.
constexpr core::span full_pause = std::chrono::seconds{1};

std::size_t weight(const core::run_spec& s) {
  std::size_t n =
      300 + s.payload.size() + s.metadata.size() + s.process.stdin_text.size() + s.process.shell.size();
  for (const auto& a : s.process.argv) n += a.size();
  return n;
}

std::size_t payload_of(const messages::submit_runs& asked) {
  std::size_t bytes = 0;
  for (const auto& each : asked.runs)
    if (each.spec) bytes += each.spec->payload.size();
  return bytes;
}

// Roughly what a set adds to the transaction: enough to bound it.
std::size_t weight(const change_set& set) {
  std::size_t n = 0;
  for (const auto& c : set.changes) {
    n += 200;
    if (const auto* made = std::get_if<storage::insert_runs>(&c)) {
      for (const auto& run : made->runs) n += run.spec ? weight(*run.spec) : 300;
    } else if (const auto* log = std::get_if<storage::append_log>(&c)) {
      for (const auto& line : log->lines) n += 60 + line.text.size();
    } else if (const auto* step = std::get_if<storage::step_run>(&c)) {
      if (const auto* lines = std::get_if<core::cmd_log>(&step->command))
        for (const auto& line : lines->lines) n += 60 + line.text.size();
    } else if (const auto* job = std::get_if<storage::put_job>(&c)) {
      n += weight(job->definition.spec);
    }
  }
  return n;
}

// After an offer that nobody took: those who wait are others.
constexpr core::span offer_rest = std::chrono::milliseconds{10};
// More at a time are not offered: the commit is shared by many already, and a claim is to get the most urgent
// of all.
constexpr std::size_t most_offered = 64;

// Without a commit for so long, nobody waits: time for what commits leave undone.
constexpr core::span quiet = std::chrono::milliseconds{200};

}  // namespace

storage_writer::storage_writer(caf::actor_config& cfg, std::shared_ptr<storage_deps> deps)
    : storage_actor::base(cfg), deps_{std::move(deps)} {
  deps_->store->follow(deps_->rules);
  tell_pressure();
  set_down_handler([this](const caf::down_msg& d) {
    if (!follower_ || d.source != follower_.address()) return;
    follower_ = nullptr;
    if (std::exchange(offered_, false)) flush_soon();  // nobody hears of it any more
  });
}

// Doors read it with each submission, without asking anybody.
void storage_writer::tell_pressure() {
  if (deps_->submissions && deps_->rules.backpressure.at > 0)
    deps_->submissions->press(deps_->store->pressure(deps_->clock->now()));
}

auto storage_writer::make_behavior() -> behavior_type {
  return {
      [this](const commit_changes& asked) { return take(asked); },
      [this](const scan_open& asked) -> core::result<storage::open_page> {
        commit();  // what is read is what the follower has been told of
        return deps_->store->scan_open(asked.after, asked.limit);
      },
      [this](const ask_limits& asked) { return deps_->store->limits(asked.configured); },
      [this](ask_pauses) -> core::result<core::pause_book> {
        commit();  // what is read is what the follower has been told of
        return deps_->store->pauses();
      },
      [this](open_connection) {
        return connection{std::shared_ptr<storage::reader>{deps_->store->open_reader()}};
      },
      [this](const tell_journal& asked) {
        commit();
        hub_ = asked.who;
        return journal_told{last_event_};
      },
      [this](messages::take_submissions) { take_submissions(); },
      [this](const follow_with& asked) {
        follower_ = asked.who;
        monitor(follower_);
      },
      [this](flush_changes) {
        flush_sent_ = false;
        if (!offered_) commit();
      },
      [this](const offer_heard& heard) {
        if (!offered_ || heard.number != offers_) return;  // it was committed meanwhile
        offered_ = false;
        if (!heard.taken) offer_not_before_ = deps_->clock->steady() + offer_rest;
        flush_soon();
      },
      [this](try_room) { try_room_again(); },
      [this](const keep_up& since) {
        keeping_up_ = false;
        if (since.commits == commits_) return deps_->store->maintain();
        keeping_up_ = true;
        caf::delayed_anon_send(storage_actor{this}, quiet, keep_up{commits_});
      },
  };
}

void storage_writer::on_exit() {
  if (deps_->submissions) deps_->submissions->close();
  open_.clear();
  follower_ = nullptr;
  hub_ = nullptr;
  deps_->supervisor = nullptr;
  deps_->store.reset();
}

caf::result<commit_results> storage_writer::take(const commit_changes& asked) {
  question q;
  q.results.answers.reserve(asked.sets.size());
  for (const auto& set : asked.sets) {
    q.results.answers.push_back(apply(set));
    ++sets_;
    bytes_ += weight(set);
  }
  if (deps_->options.answer_before_commit) {  // the planted bug
    commit_results early = q.results;
    open_.push_back(std::move(q));
    tell_early(early);
    flush_soon();
    return early;
  }
  auto promise = make_response_promise<commit_results>();
  q.answer = promise_guard<commit_results>{promise};
  open_.push_back(std::move(q));
  if (sets_ >= deps_->options.max_sets || bytes_ >= deps_->options.max_bytes) {
    commit();
  } else {
    flush_soon();
  }
  return promise;
}

// Everything that waits, as far as it fits into one commit; the rest has its turn after that.
void storage_writer::take_submissions() {
  std::size_t runs = 0, bytes = 0;
  auto waiting = deps_->submissions->take([&](const waiting_submission& w) {
    runs += w.what.runs.size();
    bytes += payload_of(w.what);
    return runs >= deps_->options.max_sets || bytes >= deps_->options.max_bytes;
  });
  if (waiting.empty()) return;
  question q;
  q.results.answers.reserve(waiting.size());
  q.doors.reserve(waiting.size());
  const auto now = deps_->clock->now();
  for (auto& w : waiting) {
    const change_set set{
        now,
        std::move(w.what.actor),
        once_of(w.what.once),
        {storage::insert_runs{std::move(w.what.runs), w.what.as_batch, std::move(w.what.refusal), true}}};
    w.who->asked = true;
    q.results.answers.push_back(apply(set));
    if (q.results.answers.back().refused_with(errc::overloaded))
      deps_->says.count(metric::backpressure_refusals_total);
    q.doors.push_back(std::move(w.who));
    bytes_ += weight(set);
  }
  sets_ += waiting.size();
  question early;  // the planted bug
  if (deps_->options.answer_before_commit)
    early = {{}, q.results, std::exchange(q.doors, {})};
  else if (!offered_ && deps_->submissions->claims_wait())
    offer(q.results);
  open_.push_back(std::move(q));
  // The dispatcher may take long to hear of an offer; what comes meanwhile is not gathered without end.
  if (sets_ >= deps_->options.max_sets || bytes_ >= deps_->options.max_bytes)
    commit();
  else
    flush_soon();
  caf::anon_send(storage_actor{this}, messages::take_submissions{});
  if (early.doors.empty()) return;
  tell_early(early.results);
  early.deliver();
}

// They are not committed, and might not be: who takes one has it only with the commit.
void storage_writer::offer(const commit_results& results) {
  if (!follower_ || deps_->clock->steady() < offer_not_before_) return;
  messages::offer_runs news;
  for (const auto& answer : results.answers) {
    if (!answer || answer->replayed) continue;
    for (const auto& run : answer->runs)
      if (run.head.state == core::run_state::queued) news.runs.push_back(run);
    if (news.runs.size() > most_offered) return;
  }
  if (news.runs.empty()) return;
  news.number = ++offers_;
  offered_ = true;
  caf::anon_send(follower_, std::move(news));
}

// The planted bug: what is in the open transaction already counts.
void storage_writer::tell_early(const commit_results& results) {
  std::vector<question> told(1);
  told.front().results = results;
  tell_follower(told);
}

// When the mailbox is behind what is there now.
void storage_writer::flush_soon() {
  if (!offered_ && !std::exchange(flush_sent_, true)) caf::anon_send(storage_actor{this}, flush_changes{});
}

void storage_writer::question::deliver() {
  for (std::size_t i = 0; i < doors.size(); ++i) {
    auto& r = results.answers.at(i);
    if (r)
      doors[i]->answer(messages::submitted{std::move(r->runs), r->batch, r->replayed});
    else
      doors[i]->answer(std::move(r.error()));
  }
  if (doors.empty()) answer.deliver(std::move(results));
}

core::result<receipt> storage_writer::apply(const change_set& set) {
  if (full_ && storage::needs_room(set))
    return failure{errc::storage_full,
                   "the store is full; new work is refused until there is room",
                   {},
                   "belfry status"};
  if (damaged_)
    return failure{errc::storage_damaged, "the store is damaged; the node ends", {}, "belfry status"};
  auto answer = deps_->store->apply(set);
  if (!answer) {
    const auto code = answer.error().code;
    if (code == errc::storage_full || code == errc::storage_damaged || code == errc::unavailable)
      judge(&answer.error());
    if (code == errc::stale_lease) deps_->says.count(metric::fence_rejections_total);
    if (code == errc::stale_lease || code == errc::conflict) evidence_ = true;
    return answer;
  }
  if (hub_) {
    for (const auto& c : set.changes) {
      const auto* log = std::get_if<storage::append_log>(&c);
      const auto* step = std::get_if<storage::step_run>(&c);
      if (log != nullptr && !log->lines.empty()) logs_.push_back(log->lines.front().run);
      if (step != nullptr && std::holds_alternative<core::cmd_log>(step->command)) logs_.push_back(step->id);
    }
  }
  return answer;
}

// Whether everything is on the disk.
bool storage_writer::commit() {
  if (open_.empty()) return true;
  auto answered = std::exchange(open_, {});
  const auto sets = std::exchange(sets_, 0);
  bytes_ = 0;
  offered_ = false;
  const auto from = deps_->clock->steady();
  const auto committed = deps_->store->commit();
  deps_->says.observe(metric::store_commit_seconds, seconds(deps_->clock->steady() - from));
  deps_->says.observe(metric::store_batch_size, static_cast<double>(sets));
  if (!committed) {
    judge(&committed.error());
    for (auto& q : answered)
      for (auto& answer : q.results.answers)
        if (answer) answer = committed.error();  // who was refused before stays refused
    logs_.clear();
    evidence_ = false;
  } else {
    judge(nullptr);
    tell_pressure();
    if (!deps_->options.answer_before_commit) tell_follower(answered);
    tell_hub(answered);
  }
  note_submitted(answered);
  for (auto& q : answered) q.deliver();
  ++commits_;
  if (!std::exchange(keeping_up_, true))
    caf::delayed_anon_send(storage_actor{this}, quiet, keep_up{commits_});
  return committed.ok();
}

void storage_writer::note_submitted(const std::vector<question>& answered) {
  std::size_t made = 0;
  for (const auto& q : answered) {
    if (q.doors.empty()) continue;
    for (const auto& answer : q.results.answers)
      if (answer && !answer->replayed) made += answer->runs.size();
  }
  if (made > 0) deps_->says.count(metric::runs_submitted_total, static_cast<double>(made));
}

// One message per commit, in the order in which the sets were applied.
void storage_writer::tell_follower(const std::vector<question>& answered) {
  if (!follower_) return;
  messages::runs_committed heads;
  std::size_t runs = 0;
  for (const auto& q : answered)
    for (const auto& answer : q.results.answers)
      if (answer && !answer->replayed) runs += answer->runs.size() + answer->also.size();
  heads.runs.reserve(runs);
  for (const auto& q : answered) {
    for (const auto& answer : q.results.answers) {
      // What is only repeated was followed before. Its heads come without their specs, and a queued run among
      // them would enter the line anew as one of unknown kind.
      if (!answer || answer->replayed) continue;
      heads.runs.insert(heads.runs.end(), answer->runs.begin(), answer->runs.end());
      heads.runs.insert(heads.runs.end(), answer->also.begin(), answer->also.end());
      heads.jobs.insert(heads.jobs.end(), answer->jobs.begin(), answer->jobs.end());
      heads.pauses.insert(heads.pauses.end(), answer->pauses.begin(), answer->pauses.end());
      heads.delays.insert(heads.delays.end(), answer->delays.begin(), answer->delays.end());
      heads.replan.insert(heads.replan.end(), answer->replan.begin(), answer->replan.end());
    }
  }
  if (!heads.runs.empty() || !heads.jobs.empty() || !heads.pauses.empty() || !heads.delays.empty() ||
      !heads.replan.empty())
    caf::anon_send(follower_, std::move(heads));
}

void storage_writer::tell_hub(const std::vector<question>& answered) {
  const auto before = last_event_;
  journal_grew news;
  for (const auto& q : answered) {
    for (const auto& answer : q.results.answers) {
      if (!answer) continue;
      last_event_ = std::max(last_event_, answer->last_event);
      if (!hub_) continue;
      for (const auto& run : answer->runs) news.runs.push_back(run.head.id);
      for (const auto& run : answer->also) news.runs.push_back(run.head.id);
    }
  }
  if (last_event_ > before)
    deps_->says.count(metric::events_total, static_cast<double>(last_event_ - before));
  if (std::exchange(evidence_, false) && hub_)
    if (const auto events = deps_->store->events_between(last_event_ + 1, last_event_ + 1000);
        events && !events->empty()) {
      last_event_ = events->back().seq;
      for (const auto& e : *events) news.runs.push_back(e.run);
    }
  news.last_event = last_event_;
  news.logs = std::exchange(logs_, {});
  if (hub_ && (last_event_ > before || !news.logs.empty())) caf::anon_send(hub_, std::move(news));
}

// What an answer of the store says about the store itself; nothing: all is well. The supervisor hears of
// changes.
void storage_writer::judge(const failure* why) {
  if (why != nullptr) {
    deps_->says.count(metric::store_errors_total, 1, core::code_of(why->code));
    if (why->code == errc::storage_full && !std::exchange(full_, true))
      caf::delayed_anon_send(storage_actor{this}, full_pause, try_room{});
  }
  const bool damaged = why != nullptr && why->code == errc::storage_damaged;
  // A settle that still fits says nothing about room for new work.
  const bool serving = why == nullptr && !full_;
  if (serving == serving_ && damaged == damaged_) return;
  serving_ = serving;
  damaged_ = damaged_ || damaged;
  caf::anon_send(deps_->supervisor,
                 messages::store_changed{serving, damaged, why != nullptr ? *why : failure{}});
}

// Nobody might bring work for hours, and health would stay red on a disk that was cleaned long ago.
void storage_writer::try_room_again() {
  core::event e;
  e.kind = core::event_kind::store_recovered;
  e.text = "there is room for new work again";
  change_set word{deps_->clock->now(), "node", {}, {storage::note_event{std::move(e)}}};
  commit();  // what waits has an outcome of its own
  question own;
  own.results.answers.push_back(deps_->store->apply(word));
  const bool fits = own.results.answers.front().ok();
  open_.push_back(std::move(own));
  if (!commit() || !fits) return caf::delayed_anon_send(storage_actor{this}, full_pause, try_room{});
  full_ = false;
  judge(nullptr);
}

}  // namespace belfry::actors
