// DEAD LETTER WATCH: says of each dead letter that nobody dealt with it in time, once. The mark that says so
// stands in the row, in the commit of the event, so that neither a crash nor a restart repeats or forgets
// one. It holds nothing: a restart looks again.
#pragma once

#include "actors/node/node.hpp"
#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/note.hpp"

namespace belfry::actors {

struct dead_letter_watch_deps {
  storage_client store;
  const platform::clock* clock = nullptr;
  voice says;
  core::span age{0};  // more than 0
};

class dead_letter_watch : public messages::dead_letter_watch_actor::base {
 public:
  dead_letter_watch(caf::actor_config& cfg, dead_letter_watch_deps deps);
  const char* name() const override { return "dead-letter-watch"; }
  behavior_type make_behavior() override;
  void on_exit() override { deps_.store = nullptr; }

 private:
  void look();
  void rest(core::span for_how_long);

  dead_letter_watch_deps deps_;
  alarm alarm_{std::chrono::hours{24}};
};

}  // namespace belfry::actors
