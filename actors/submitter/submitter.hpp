// SUBMITTER: takes in new runs. All of a submission or none of it; the answer leaves after the commit.
//
// One commit of submissions is under way at a time; whatever comes meanwhile waits in the intake and goes
// together into the next.
#pragma once

#include <memory>
#include <vector>

#include "actors/gateway/intake.hpp"
#include "actors/storage/role.hpp"
#include "actors/support/note.hpp"

namespace belfry::actors {

struct submitter_deps {
  storage_client store;
  std::shared_ptr<intake> waiting;
  const platform::clock* clock = nullptr;
  voice says;
};

class submitter : public messages::submitter_actor::base {
 public:
  submitter(caf::actor_config& cfg, submitter_deps deps);
  const char* name() const override { return "submitter"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  void take_in();
  void commit(std::vector<waiting_submission> all);

  submitter_deps deps_;
  messages::intake_changed intake_;
};

}  // namespace belfry::actors
