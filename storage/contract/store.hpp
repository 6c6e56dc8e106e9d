// STORE: the contract of MEMORY. Atomic change sets in, typed reads out; the conformance suite is its
// definition.
//
// One writer. `apply` puts a set into the open transaction (opened by itself on the first), in a savepoint of
// its own: a set that is refused leaves nothing behind and harms no other (refusals that carry evidence write
// just the evidence). Nothing is promised to anybody before `commit` has answered: only then may receipts be
// acted on and replies leave. A failed commit loses the whole open transaction and says so (storage_full,
// storage_damaged, unavailable).
#pragma once

#include <memory>
#include <vector>

#include "core/errors/result.hpp"
#include "storage/contract/change.hpp"
#include "storage/contract/reader.hpp"
#include "storage/contract/rules.hpp"

namespace belfry::storage {

struct open_page {
  struct item {
    core::run_head head;  // open runs, by id
    core::handler_kind handler = core::handler_kind::process;
    std::uint32_t job_limit = 0;
    std::string holder_type;  // agent type of the session that has the lease, also when it is gone by now
  };
  std::vector<item> items;
  core::run_id next;  // 0: that was the last page
};

class store {
 public:
  virtual ~store() = default;
  virtual core::result<receipt> apply(const change_set& set) = 0;
  virtual core::result<void> commit() = 0;
  virtual void rollback() = 0;  // gives up the open transaction, if any
  // Everything that is not terminal, in pages: how the board, the timers and the sweeper are rebuilt at boot.
  virtual core::result<open_page> scan_open(core::run_id after, std::size_t limit) = 0;
  virtual core::result<core::limit_options> limits(
      const core::limit_options& configured) = 0;  // live ones, when set
  // What is paused, and what was. A failure counts as paused.
  virtual core::result<core::pause_book> pauses() = 0;
  // Events with seq in [first, last], as committed: what event_hub is told.
  virtual core::result<std::vector<core::event>> events_between(std::int64_t first, std::int64_t last) = 0;
  // Sequence number of the newest committed event. Refused sets can leave evidence and an event that no
  // receipt tells of.
  virtual std::int64_t last_event() const { return 0; }
  // What it decides from now on is decided by these rules.
  virtual void follow(const store_rules&) {}
  // How the queue presses, as of the last commit.
  virtual core::pressure pressure(core::instant) const { return {}; }
  // Housekeeping that commits leave undone (copying the journal into the store file); to be called when
  // replies are out.
  virtual void maintain() {}
  // Another connection for reads, for use in one other thread.
  virtual std::unique_ptr<reader> open_reader() = 0;
};

}  // namespace belfry::storage
