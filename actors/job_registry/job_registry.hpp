// JOB REGISTRY: durable definitions, of jobs, calendars and windows, and the events that start jobs. It
// brings them to the store and says what became of them; the dispatcher learns of every run that a trigger
// makes from the stream of committed heads.
#pragma once

#include "actors/storage/role.hpp"
#include "actors/support/note.hpp"

namespace belfry::actors {

struct job_registry_deps {
  storage_client store;
  const platform::clock* clock = nullptr;
  voice says;
};

class job_registry : public messages::job_registry_actor::base {
 public:
  job_registry(caf::actor_config& cfg, job_registry_deps deps);
  const char* name() const override { return "job-registry"; }
  behavior_type make_behavior() override;
  void on_exit() override { deps_ = {}; }

 private:
  caf::result<core::result<messages::jobs_planned>> plan(const messages::plan_jobs& asked);
  caf::result<core::result<messages::job_stored>> write(storage::change what, const std::string& actor,
                                                        const std::optional<messages::once_key>& once = {},
                                                        bool creates = false);

  caf::result<core::result<messages::event_emitted>> emit(messages::emit_event& asked);

  caf::result<core::result<messages::calendar_stored>> write_calendar(storage::change what,
                                                                      const std::string& actor);
  caf::result<core::result<messages::window_stored>> write_window(storage::change what,
                                                                  const std::string& actor);

  job_registry_deps deps_;
};

}  // namespace belfry::actors
