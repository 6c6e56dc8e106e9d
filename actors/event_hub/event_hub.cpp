#include "actors/support/message_types.hpp"
// after the message types
#include "actors/event_hub/event_hub.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace belfry::actors {

event_hub::event_hub(caf::actor_config& cfg, event_hub_deps deps)
    : event_hub_actor::base(cfg), deps_{std::move(deps)} {}

auto event_hub::make_behavior() -> behavior_type {
  return {
      [this](const add_watch& asked) { add(asked.entry); },
      [this](const drop_watch& asked) { drop(asked.entry); },
      [this](const journal_grew& news) {
        last_event_ = std::max(last_event_, news.last_event);
        for (const auto* ids : {&news.runs, &news.logs})
          for (const auto id : *ids)
            if (of_run_.count(id) != 0) grown_.insert(id);
        if (!std::exchange(gathering_, true)) caf::anon_send(event_hub_actor{this}, tell_watchers{});
      },
      [this](tell_watchers) {
        gathering_ = false;
        tell();
      },
  };
}

void event_hub::on_exit() {
  of_all_.clear();
  of_run_.clear();
  fresh_.clear();
  deps_.store = nullptr;
}

void event_hub::add(const watcher& entry) {
  if (!entry->alive) return;
  (entry->run ? of_run_[entry->run] : of_all_).push_back(entry);
  fresh_.push_back(entry);
  listen(true);
}

void event_hub::drop(const watcher& entry) {
  const auto without = [&entry](std::vector<watcher>& from) {
    from.erase(std::remove(from.begin(), from.end(), entry), from.end());
  };
  without(fresh_);
  if (!entry->run) {
    without(of_all_);
  } else if (const auto it = of_run_.find(entry->run); it != of_run_.end()) {
    without(it->second);
    if (it->second.empty()) of_run_.erase(it);
  }
  if (of_all_.empty() && of_run_.empty()) listen(false);
}

// Storage answers with the last committed event, and tells of every later one: nothing falls between.
void event_hub::listen(bool on) {
  if (!on) {
    listening_ = greeted_ = false;
    request(deps_.store, caf::infinite, tell_journal{}).then([](journal_told) {}, [](caf::error&) {});
    return;
  }
  const auto greet = [this](std::int64_t last) {
    greeted_ = listening_;
    last_event_ = std::max(last_event_, last);
    for (const auto& entry : std::exchange(fresh_, {})) tell(entry, entry->run);
  };
  if (std::exchange(listening_, true)) {
    if (greeted_) greet(last_event_);
    return;
  }
  request(deps_.store, caf::infinite, tell_journal{journal_listener{this}})
      .then([greet](journal_told told) { greet(told.last_event); },
            [this](caf::error&) { deps_.says.say(note_level::error, "journal-not-heard storage is gone"); });
}

void event_hub::tell() {
  if (last_event_ > std::exchange(told_, last_event_))
    for (const auto& entry : of_all_) tell(entry, {});
  for (const auto run : std::exchange(grown_, {}))
    if (const auto it = of_run_.find(run); it != of_run_.end())
      for (const auto& entry : it->second) tell(entry, run);
}

void event_hub::tell(const watcher& entry, core::run_id log_of) {
  if (entry->alive) entry->told(messages::watched{last_event_, log_of});
}

}  // namespace belfry::actors
