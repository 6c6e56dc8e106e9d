// STORAGE, the role: its messages carry change sets, therefore it stands here and not with the other roles.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "messages/interfaces.hpp"
#include "storage/contract/store.hpp"

namespace belfry::actors {

// Each set in its own right; answered after the commit.
struct commit_changes {
  std::vector<storage::change_set> sets;
};
struct commit_results {
  std::vector<core::result<storage::receipt>> answers;
};

struct scan_open {
  core::run_id after;
  std::size_t limit = 5000;
};
struct ask_limits {
  core::limit_options configured;
};
struct ask_pauses {};
struct open_connection {};  // for a reader in a thread of its own
struct connection {
  std::shared_ptr<storage::reader> reads;
};
struct follow_with {
  messages::follower_actor who;
};
struct flush_changes {};
// By the dispatcher, behind the claims that it made of an offer.
struct offer_heard {
  std::uint64_t number = 0;
  bool taken = false;  // something of it
};
struct try_room {};
struct keep_up {
  std::uint64_t commits = 0;  // so many there had been
};

// From storage to the event hub, after a commit, as long as somebody watches.
struct journal_grew {
  std::int64_t last_event = 0;
  std::vector<core::run_id> runs;  // of which something was written
  std::vector<core::run_id> logs;  // whose logs grew
};
using journal_listener = caf::typed_actor<caf::reacts_to<journal_grew>>;
// From now on this listener is told; nobody: nobody is. Answered with the number of the last event that is
// committed.
struct tell_journal {
  journal_listener who;
};
struct journal_told {
  std::int64_t last_event = 0;
};

// What nearly everybody needs.
using storage_client = caf::typed_actor<caf::replies_to<commit_changes>::with<commit_results>>;
using storage_actor = storage_client::extend<
    caf::replies_to<scan_open>::with<core::result<storage::open_page>>,    // everything committed, in pages
    caf::replies_to<ask_limits>::with<core::result<core::limit_options>>,  // the live ones, else those
                                                                           // configured
    caf::replies_to<ask_pauses>::with<core::result<core::pause_book>>,     // a failure counts as paused
    caf::replies_to<open_connection>::with<connection>, caf::replies_to<tell_journal>::with<journal_told>,
    caf::reacts_to<messages::take_submissions>,  // something waits in the intake
    caf::reacts_to<follow_with>,                 // who gets the stream of committed heads
    caf::reacts_to<flush_changes>,               // by itself: everything queued is applied
    caf::reacts_to<offer_heard>,                 // what was offered is claimed, or nobody wants it
    caf::reacts_to<try_room>,                    // by itself: the disk was full a second ago
    caf::reacts_to<keep_up>>;                    // by itself: housekeeping, when nothing was written since

}  // namespace belfry::actors
