// The rebuild on demand: memory is compared with the open runs of the store, page by page, while claims go
// on.
//
// Storage commits what is open and tells the stream before it reads a page, so when the page is handled,
// memory has followed exactly the commits that the page shows. Whatever differs then is wrong in memory, and
// the row is right. Claims that are on their way keep their reservations: the store decides them. Nothing is
// written but the event at the end, so a crash at any moment loses nothing.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/dispatcher/dispatcher.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/support/failures.hpp"

namespace belfry::actors {

using namespace messages;
using core::board_place;
using core::errc;
using core::failure;
using core::run_state;
using index_answer = core::result<index_rebuilt>;

namespace {

constexpr std::size_t compared_at_a_time = 5000;
constexpr std::size_t most_differences_told = 100;

}  // namespace

caf::result<core::result<index_rebuilt>> dispatcher::rebuild(const rebuild_index& asked) {
  if (!ready_ || closed_)
    return index_answer{failure{
        errc::unavailable,
        closed_ ? "stopping: the queue is closed" : "starting: the queue is being read from the store",
        {},
        "belfry status"}};
  if (comparing_)
    return index_answer{failure{
        errc::conflict, "a rebuild of the queue is under way", {}, "belfry events --kind queue_rebuilt"}};
  auto [guard, promise] = answer_later<index_answer>(this);
  comparing_.emplace();
  comparing_->actor = asked.actor;
  comparing_->answer = guard;
  auto& known = comparing_->known;
  known = board_.all();
  for (const auto& [run, place] : elsewhere_)
    if (!place.holder) known.push_back(run);
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  // What is paused is read anew as well.
  request(deps_.reads, caf::infinite, ask_pauses{})
      .then(
          [this](core::result<core::pause_book>& book) {
            take_pauses(book);
            if (!book) return end_comparing(book.error());
            compare_from({});
          },
          [this](caf::error& e) { end_comparing(failure_of(e, "storage")); });
  return promise;
}

void dispatcher::compare_from(core::run_id after) {
  request(deps_.reads, caf::infinite, scan_open{after, compared_at_a_time})
      .then(
          [this](core::result<storage::open_page>& page) {
            if (!page) return end_comparing(page.error());
            compare(*page);
            tell_what_changed();
            serve_waiting();  // what was missing may be what somebody waits for
            if (page->next) return compare_from(page->next);
            note_rebuilt();
          },
          [this](caf::error& e) { end_comparing(failure_of(e, "storage")); });
}

// Both are sorted: what memory knew and the page, up to its last run, does not show is not open any more.
void dispatcher::compare(const storage::open_page& page) {
  auto& c = *comparing_;
  const auto stale_before = [&](core::run_id end, bool all) {
    for (; c.passed < c.known.size() && (all || c.known[c.passed] < end); ++c.passed)
      if (const auto run = c.known[c.passed]; has(run)) {
        found(run, index_fault::stale);
        forget(run);
      }
  };
  for (const auto& item : page.items) {
    stale_before(item.head.id, false);
    if (c.passed < c.known.size() && c.known[c.passed] == item.head.id) ++c.passed;
    compare(item);
  }
  if (!page.next) stale_before({}, true);
}

void dispatcher::compare(const storage::open_page::item& item) {
  const auto& head = item.head;
  auto& counts = comparing_->found;
  ++counts.open;
  ++(head.state == run_state::queued ? counts.queued
     : core::leased(head.state)      ? counts.leased
                                     : counts.delayed);
  if (head.job && item.job_limit != 0) job_limits_[head.job] = item.job_limit;
  const bool known = has(head.id);
  if (agrees(item)) return;
  found(head.id, known ? index_fault::misplaced : index_fault::missing);
  if (head.state != run_state::queued || elsewhere_.contains(head.id)) forget(head.id);
  if (core::leased(head.state)) roster_.heard_of(head.held.holder, item.holder_type);
  follow(head, nullptr, item.handler);
}

// Whether memory has the run where the row says. The timekeeper and the sweeper are told again: they know
// what is news to them.
bool dispatcher::agrees(const storage::open_page::item& item) {
  const auto& head = item.head;
  const auto place = board_.place_of(head.id);
  const auto it = elsewhere_.find(head.id);
  if (head.state == run_state::queued) {
    if (it != elsewhere_.end() || place == board_place::live) return false;
    const auto limit = job_limits_.find(head.job);
    return !board_.put(head, item.handler, limit == job_limits_.end() ? 0 : limit->second, patience_now());
  }
  if (it == elsewhere_.end()) return false;
  if (!core::leased(head.state)) {
    if (it->second.holder || place != board_place::nowhere) return false;
    if (head.due_at != core::never) times_.times.push_back({head.id, head.due_at, 0, {}, false, {}});
    return true;
  }
  if (place != board_place::live || it->second.holder != head.held.holder ||
      it->second.fencing != head.fencing || it->second.started != (head.held.started_at != core::never))
    return false;
  const auto* holder = roster_.known(head.held.holder);
  const bool owned = holder != nullptr && core::owned_by_node(*holder);
  const bool far = owned && !holder->local;
  leases_.leases.push_back(
      {head.id, head.fencing, head.held.hash, head.held.expires_at, head.held.claimed_at, far});
  if (head.held.started_at != core::never && head.held.deadline_at != core::never) {
    times_.times.push_back({head.id, head.held.deadline_at, head.fencing, head.held.holder, owned, {}, far});
  }
  return true;
}

bool dispatcher::has(core::run_id run) const {
  return elsewhere_.contains(run) || board_.place_of(run) != board_place::nowhere;
}

void dispatcher::found(core::run_id run, index_fault what) {
  auto& f = comparing_->found;
  ++(what == index_fault::missing ? f.missing : what == index_fault::stale ? f.stale : f.misplaced);
  if (f.differences.size() < most_differences_told) f.differences.push_back({run, what});
}

void dispatcher::forget(core::run_id run) {
  take_from_holder(run);
  elsewhere_.erase(run);
  board_.ended(run);
  board_.drop(run);
}

void dispatcher::end_comparing(core::result<index_rebuilt> answer) {
  std::exchange(comparing_, {})->answer->deliver(std::move(answer));
}

// The journal says who asked and what was wrong; only then is it answered.
void dispatcher::note_rebuilt() {
  const auto& f = comparing_->found;
  core::event e;
  e.kind = core::event_kind::queue_rebuilt;
  e.text = "open=" + std::to_string(f.open) + " queued=" + std::to_string(f.queued) +
           " delayed=" + std::to_string(f.delayed) + " leased=" + std::to_string(f.leased) +
           " missing=" + std::to_string(f.missing) + " stale=" + std::to_string(f.stale) +
           " misplaced=" + std::to_string(f.misplaced);
  const bool differed = !f.differences.empty();
  deps_.says.say(differed ? note_level::warning : note_level::info, "queue-rebuilt " + e.text);
  storage::change_set set{deps_.clock->now(), comparing_->actor, {}, {storage::note_event{std::move(e)}}};
  request(deps_.store, caf::infinite, commit_changes{{std::move(set)}})
      .then(
          [this](commit_results& r) {
            const auto& written = r.answers.front();
            if (!written) return end_comparing(written.error());
            comparing_->found.event = written->last_event;
            if (listener_) caf::anon_send(listener_, queue_compared{});
            end_comparing(std::move(comparing_->found));
          },
          [this](caf::error& e2) { end_comparing(failure_of(e2, "storage")); });
}

}  // namespace belfry::actors
