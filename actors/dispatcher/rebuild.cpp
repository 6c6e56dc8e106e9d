// The rebuild of the dispatcher: all open runs are read in pages, what the dead held is lost, then claims are
// served.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/dispatcher/dispatcher.hpp"

#include <utility>

#include "actors/support/failures.hpp"
#include "core/run/handlers.hpp"

namespace belfry::actors {

using namespace messages;
using core::run_state;

namespace {

constexpr std::size_t page_size = 5000;
constexpr const char* restarted = "node restarted";

}  // namespace

caf::result<core::result<queue_rebuilt>> dispatcher::rebuild(const rebuild_queue& asked) {
  auto [guard, promise] = answer_later<core::result<queue_rebuilt>>(this);
  rebuilding_.emplace();
  rebuilding_->dead = asked.sessions.dead;
  rebuilding_->answer = guard;
  for (const auto& s : asked.sessions.alive) roster_.arrive(s);
  request(deps_.reads, caf::infinite, ask_limits{deps_.board.limits})
      .then(
          [this](core::result<core::limit_options>& limits) {
            if (limits) board_.set_limits(*limits);
            read_pauses();
          },
          [this](caf::error& e) {
            std::exchange(rebuilding_, {})
                ->answer->deliver(core::result<queue_rebuilt>{failure_of(e, "storage")});
          });
  return promise;
}

// Nothing is claimed as long as it is not known what is paused; a node that cannot read it does not serve.
void dispatcher::read_pauses() {
  request(deps_.reads, caf::infinite, ask_pauses{})
      .then(
          [this](core::result<core::pause_book>& book) {
            if (!book)
              return std::exchange(rebuilding_, {})
                  ->answer->deliver(core::result<queue_rebuilt>{book.error()});
            pauses_.load(*book);
            follow(book->delays);
            pauses_changed(deps_.clock->now());
            scan_from({});
          },
          [this](caf::error& e) {
            std::exchange(rebuilding_, {})
                ->answer->deliver(core::result<queue_rebuilt>{failure_of(e, "storage")});
          });
}

void dispatcher::scan_from(core::run_id after) {
  request(deps_.reads, caf::infinite, scan_open{after, page_size})
      .then(
          [this](core::result<storage::open_page>& page) {
            if (!page)
              return std::exchange(rebuilding_, {})
                  ->answer->deliver(core::result<queue_rebuilt>{page.error()});
            auto& counts = rebuilding_->counts;
            for (const auto& item : page->items) {
              if (item.head.job && item.job_limit != 0) job_limits_[item.head.job] = item.job_limit;
              if (core::leased(item.head.state)) roster_.heard_of(item.head.held.holder, item.holder_type);
              follow(item.head, nullptr, item.handler);
              ++counts.open;
              if (item.head.state == run_state::queued)
                ++counts.queued;
              else if (core::leased(item.head.state))
                ++counts.leased;
              else
                ++counts.delayed;
            }
            tell_what_changed();
            auto strangers = strangers_in(*page);
            if (strangers.sets.empty()) return go_on_scanning(page->next);
            request(deps_.store, caf::infinite, std::move(strangers))
                .then(
                    [this, next = page->next](commit_results& r) {
                      for (const auto& answer : r.answers)
                        if (!answer)
                          deps_.says.say(note_level::warning, "handler-not-met " + answer.error().text);
                      go_on_scanning(next);
                    },
                    [this](caf::error& e) {
                      std::exchange(rebuilding_, {})
                          ->answer->deliver(core::result<queue_rebuilt>{failure_of(e, "storage")});
                    });
          },
          [this](caf::error& e) {
            std::exchange(rebuilding_, {})
                ->answer->deliver(core::result<queue_rebuilt>{failure_of(e, "storage")});
          });
}

void dispatcher::go_on_scanning(core::run_id next) {
  if (next) return scan_from(next);
  lose_dead();
}

// Another belfry wrote these, or took them for unknown: those whose kind nobody here knows are parked, those
// that were parked for that and are known by now are queued.
commit_changes dispatcher::strangers_in(const storage::open_page& page) const {
  commit_changes met;
  for (const auto& item : page.items) {
    const bool known = core::known(item.handler);
    const bool parks = item.head.state == run_state::queued && !known;
    const bool returns = item.head.state == run_state::parked && item.head.due_at == core::never && known;
    if (parks || returns)
      met.sets.push_back({deps_.clock->now(),
                          "node",
                          {},
                          {storage::step_run{item.head.id, core::cmd_meet_handler{}, false}}});
  }
  return met;
}

// The executors of a former process held these; the process is dead, nobody will ever finish them.
void dispatcher::lose_dead() {
  commit_changes lost;
  for (const auto who : rebuilding_->dead)
    for (const auto run : roster_.held_by(who)) {
      core::cmd_lose command{elsewhere_.at(run).fencing, restarted, deps_.randomness->unit()};
      lost.sets.push_back(
          {deps_.clock->now(), "node", {}, {storage::step_run{run, std::move(command), false}}});
    }
  rebuilding_->counts.lost = lost.sets.size();
  const auto finish = [this] {
    ready_ = true;
    pauses_over(deps_.clock->now());
    leases_ended_ = true;  // a drain may have ended with the last process
    end_drains();
    board_.wait_anew(patience_now());  // while no node ran, nobody could take anything
    auto ended = std::exchange(rebuilding_, {});
    ended->answer->deliver(core::result<queue_rebuilt>{ended->counts});
  };
  if (lost.sets.empty()) return finish();
  request(deps_.store, caf::infinite, std::move(lost))
      .then(
          [this, finish](commit_results& r) {
            for (const auto& answer : r.answers)
              if (!answer && answer.error().code != core::errc::invalid_transition)
                return std::exchange(rebuilding_, {})
                    ->answer->deliver(core::result<queue_rebuilt>{answer.error()});
            finish();
          },
          [this](caf::error& e) {
            std::exchange(rebuilding_, {})
                ->answer->deliver(core::result<queue_rebuilt>{failure_of(e, "storage")});
          });
}

// At run time: an executor has crashed. What cannot be written now is left to the sweeper.
void dispatcher::lose_held_by(core::session_id who, const std::string& reason) {
  commit_changes lost;
  for (const auto run : roster_.held_by(who)) {
    core::cmd_lose command{elsewhere_.at(run).fencing, reason, deps_.randomness->unit()};
    lost.sets.push_back(
        {deps_.clock->now(), "node", {}, {storage::step_run{run, std::move(command), false}}});
  }
  if (lost.sets.empty()) return;
  request(deps_.store, caf::infinite, std::move(lost))
      .then(
          [this](commit_results& r) {
            for (const auto& answer : r.answers)
              if (!answer) deps_.says.say(note_level::warning, "lease-not-ended " + answer.error().text);
          },
          [this](caf::error&) { deps_.says.say(note_level::warning, "lease-not-ended storage is gone"); });
}

}  // namespace belfry::actors
