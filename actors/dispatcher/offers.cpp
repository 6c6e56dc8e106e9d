// Offers: what the store is about to take in, for claims that wait (docs/decisions/0067).
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/dispatcher/dispatcher.hpp"

#include <caf/send.hpp>

namespace belfry::actors {

using namespace messages;

// Nothing of this is committed. What a waiting claim takes of it is reserved, and the claim goes into the
// same commit; of the rest nothing is kept, for it comes with the stream. If the commit fails, so does the
// claim, and then the run was never there.
void dispatcher::take_offer(const offer_runs& offer) {
  bool taken = false;
  if (ready_ && !closed_ && !waiting_.empty()) {
    for (const auto& run : offer.runs) {
      const auto limit = job_limits_.find(run.head.job);
      board_.put(run.head, run.spec ? run.spec->handler : core::handler_kind::process,
                 limit == job_limits_.end() ? 0 : limit->second, patience_now());
    }
    serve_waiting(asking::nobody);  // a hook outside is not asked about what may not come to be
    for (const auto& run : offer.runs) {
      if (board_.place_of(run.head.id) == core::board_place::line) {
        board_.drop(run.head.id);
      } else {
        tentative_.insert(run.head.id);
        taken = true;
      }
    }
  }
  note_waits();
  caf::anon_send(deps_.reads, offer_heard{offer.number, taken});
}

}  // namespace belfry::actors
