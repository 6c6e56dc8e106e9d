// CHANGE SETS: what several actors do on the way from a message to the store and back.
#pragma once

#include <caf/error.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/storage/role.hpp"
#include "actors/support/failures.hpp"
#include "actors/support/limits.hpp"
#include "actors/support/promise_guard.hpp"
#include "messages/runs.hpp"

namespace belfry::actors {

inline std::optional<storage::idempotency> once_of(const std::optional<messages::once_key>& key) {
  if (!key) return std::nullopt;
  return storage::idempotency{key->key, key->fingerprint};
}

// Sends the sets and answers, after the commit, with what `make(commit_results&)` says: a core::result<T>.
template <class T, class Self, class Make>
caf::result<core::result<T>> commit_then(Self* self, const storage_client& store,
                                         std::vector<storage::change_set> sets, Make make) {
  auto [guard, promise] = answer_later<core::result<T>>(self);
  self->request(store, caf::infinite, commit_changes{std::move(sets)})
      .then([answer = guard, make](commit_results& r) { answer->deliver(core::result<T>{make(r)}); },
            [answer = guard](caf::error& e) { answer->deliver(core::result<T>{failure_of(e, "storage")}); });
  return promise;
}

// An event of the node's own, in a commit of its own. Nobody waits for it: what could not be written is in
// the log or in the status all the same.
template <class Self>
void note_in_journal(Self* self, const storage_client& store, core::event what, core::instant now) {
  storage::change_set set{now, "node", {}, {storage::note_event{std::move(what)}}};
  self->request(store, caf::infinite, commit_changes{{std::move(set)}})
      .then([](commit_results&) {}, [](caf::error&) {});
}
template <class Self>
void note_in_journal(Self* self, const storage_client& store, core::event_kind kind, const std::string& text,
                     core::instant now) {
  core::event e;
  e.kind = kind;
  e.text = text;
  note_in_journal(self, store, std::move(e), now);
}

}  // namespace belfry::actors
