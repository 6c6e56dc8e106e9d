// SUBMITTER: takes in new runs. All of a request or none of it; the answer leaves after the commit.
#pragma once

#include "actors/storage/role.hpp"
#include "actors/support/note.hpp"

namespace belfry::actors {

struct submitter_deps {
  storage_client store;
  const platform::clock* clock = nullptr;
  voice says;
};

class submitter : public messages::submitter_actor::base {
 public:
  submitter(caf::actor_config& cfg, submitter_deps deps);
  const char* name() const override { return "submitter"; }
  behavior_type make_behavior() override;
  void on_exit() override { deps_ = {}; }

 private:
  caf::result<core::result<messages::submitted>> submit(messages::submit_runs& asked);

  submitter_deps deps_;
  messages::intake_changed intake_;
};

}  // namespace belfry::actors
