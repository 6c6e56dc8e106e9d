// EVENT HUB: tells watchers that the journal or a log grew. It never holds an event: who wants the texts
// reads them, from where they left off. As long as nobody watches, storage is not asked to tell anything.
#pragma once

#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/event_hub/role.hpp"
#include "actors/support/note.hpp"

namespace belfry::actors {

struct event_hub_deps {
  storage_actor store;
  voice says;
};

class event_hub : public event_hub_actor::base {
 public:
  event_hub(caf::actor_config& cfg, event_hub_deps deps);
  const char* name() const override { return "event-hub"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using watcher = std::shared_ptr<watch_entry>;

  void add(const watcher& entry);
  void drop(const watcher& entry);
  void listen(bool on);
  void tell();
  void tell(const watcher& entry, core::run_id log_of);

  event_hub_deps deps_;
  std::vector<watcher> of_all_;
  std::unordered_map<core::run_id, std::vector<watcher>> of_run_;
  std::vector<watcher> fresh_;  // not told for the first time yet
  std::int64_t last_event_ = 0;
  std::int64_t told_ = 0;
  std::unordered_set<core::run_id> grown_;  // runs with watchers, of which something was written
  bool gathering_ = false;
  bool listening_ = false;
  bool greeted_ = false;  // storage has answered: last_event_ is known
};

}  // namespace belfry::actors
