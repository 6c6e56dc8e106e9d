// EXECUTORS: what the executor supervisor and its executors say to each other.
#pragma once

#include <cstdint>
#include <string>

#include "core/ids/id.hpp"
#include "core/time/instant.hpp"
#include "messages/runs.hpp"

namespace belfry::messages {

// To the executor supervisor: let what runs end up to the deadline, then stop it and hand it back. Answered
// when nothing runs.
struct drain_executors {
  core::span patience{0};
};
struct executors_drained {
  std::uint32_t handed_back = 0;
};
// To an executor: register, then claim.
struct begin_work {};
// To an executor: claim no more; say executor_idle when nothing runs.
struct finish_work {};
// To an executor: stop the run that is under way and hand it back.
struct hand_back {};
// From an executor: this session is mine.
struct executor_seated {
  std::uint32_t index = 0;
  core::session_id session;
};
// From an executor that was told to finish: nothing runs any more.
struct executor_idle {
  std::uint32_t index = 0;
  bool handed_back = false;
};
// From an executor that dies: one more of its children has been killed and may still be dying, ...
struct child_abandoned {
  std::uint32_t index = 0;
};
// ... and is gone now.
struct child_gone {
  std::uint32_t index = 0;
};
// To the executor supervisor, by itself: the delay before a restart is over.
struct restart_executor {
  std::uint32_t index = 0;
};
// To the executor supervisor, by itself: the store could not end the session of a crashed executor; again.
struct end_session_again {
  core::session_id session;
  std::string why;
};
// To the executor supervisor, by itself: drain_executors has waited long enough.
struct drain_is_over {
  bool last = false;
};  // last: what was told to stop has not

}  // namespace belfry::messages
