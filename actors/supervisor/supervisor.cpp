#include "actors/support/message_types.hpp"
// after the message types
#include "actors/supervisor/supervisor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/retention/retention.hpp"
#include "actors/support/change_sets.hpp"
#include "actors/support/failures.hpp"

namespace belfry::actors {

using namespace messages;

supervisor::supervisor(caf::actor_config& cfg, std::shared_ptr<supervisor_deps> deps)
    : supervisor_actor::base(cfg), deps_{std::move(deps)} {
  set_down_handler([this](const caf::down_msg& news) { down(news); });
}

auto supervisor::make_behavior() -> behavior_type {
  return {
      [this](boot_node) { boot(); },
      [this](const stop_node& asked) { stop(asked.deadline); },
      [this](ask_node) { return core::result<node_status>{status()}; },
      [this](const child_changed& news) {
        for (auto& e : executors_)
          if (e.name == news.child.name) {
            e = news.child;
            return;
          }
        executors_.push_back(news.child);
      },
      [this](const store_changed& news) {
        store_serving_ = news.serving;
        store_trouble_ = news.why;
        deps_->says.say(news.serving ? note_level::info : note_level::error,
                        news.serving ? "store-serving again" : "store-not-serving " + news.why.text);
        if (news.damaged) fail("the store is damaged: " + news.why.text);
      },
      [this](const cluster_changed& news) { cluster_issues_ = news.issues; },
      [this](const alarm_rang& ring) {
        if (!alarm_.rang(ring)) return;
        if (stopping_ && wave_over_due_)
          return stopped(core::failure{core::errc::timed_out, "an actor did not end in time", {}, {}});
        restart_due();
      },
  };
}

void supervisor::on_exit() {
  for (const auto& c : children_)
    if (!c.ended) caf::anon_send_exit(c.who, caf::exit_reason::kill);
  children_.clear();
  storage_ = nullptr;
  executors_head_ = nullptr;
  dispatcher_ = nullptr;
  sweeper_ = nullptr;
  timekeeper_ = nullptr;
  planner_ = nullptr;
  registry_ = nullptr;
  spawner_ = nullptr;
  ladder_ = nullptr;
  coordinator_ = nullptr;
  wake_desk_ = nullptr;
  claim_hook_ = nullptr;
  cluster_desk_ = nullptr;
  doors_ = {};
  deps_->gateway = nullptr;
  deps_->ready = nullptr;
  deps_->stopped = nullptr;
}

void supervisor::down(const caf::down_msg& news) {
  const auto it = std::find_if(children_.begin(), children_.end(), [&](const child& c) {
    return !c.ended && c.who && c.who->address() == news.source;
  });
  if (it == children_.end()) return;
  it->ended = true;
  it->who = nullptr;
  if (stopping_) return end_wave();
  const auto why = news.reason ? system().render(news.reason) : std::string{"it ended"};
  deps_->says.say(note_level::error, "actor-died " + it->name + " " + why);
  if (it->what == duty::vital) return fail(it->name + " died: " + why);
  const auto now = deps_->clock->now();
  const auto delay = it->deaths.died({}, now);
  it->note = why;
  if (!delay) return deps_->says.say(note_level::error, "actor-given-up " + it->name);
  ++it->restarts;
  it->restart_at = core::later(now, *delay);
  alarm_.arm(supervisor_actor{this}, it->restart_at, now);
}

void supervisor::restart_due() {
  const auto now = deps_->clock->now();
  for (std::size_t i = 0; i < children_.size(); ++i) {
    auto& c = children_[i];
    if (!c.ended || c.restart_at == core::never || stopping_) continue;
    if (c.restart_at <= now) {
      c.restart_at = core::never;
      restart(i);
    } else {
      alarm_.arm(supervisor_actor{this}, c.restart_at, now);
    }
  }
}

void supervisor::restart(std::size_t index) {
  auto& c = children_[index];
  if (c.what == duty::retention) {
    c.who = caf::actor_cast<caf::strong_actor_ptr>(spawn<retention, caf::monitored>(
        retention_deps{storage_, deps_->clock, deps_->says, deps_->options.retention}));
    c.ended = false;
    return;
  }
  if (c.what == duty::dead_letter_watch) {
    c.who = caf::actor_cast<caf::strong_actor_ptr>(spawn_dead_letter_watch());
    c.ended = false;
    return;
  }
  if (c.what == duty::claim_hook) {
    c.who = caf::actor_cast<caf::strong_actor_ptr>(spawn_claim_hook());
    c.ended = false;
    return;
  }
  const auto number = static_cast<std::size_t>(
      std::count_if(children_.begin(), children_.begin() + static_cast<std::ptrdiff_t>(index),
                    [](const child& other) { return other.what == duty::reader; }));
  request(storage_, caf::infinite, open_connection{})
      .then(
          [this, number](connection& with) {
            if (stopping_) return;
            doors_.readers.at(number) = spawn_reader(number, std::move(with));
            if (number == 0 && registry_) caf::anon_send(registry_, read_with{doors_.readers.front()});
            if (number == 0 && spawner_) caf::anon_send(spawner_, read_with{doors_.readers.front()});
            if (number == 0 && ladder_) caf::anon_send(ladder_, read_with{doors_.readers.front()});
            if (number == 0 && coordinator_) caf::anon_send(coordinator_, read_with{doors_.readers.front()});
            if (number == 0 && claim_hook_) caf::anon_send(claim_hook_, read_with{doors_.readers.front()});
            if (number == 0 && cluster_desk_)
              caf::anon_send(cluster_desk_, read_with{doors_.readers.front()});
            if (number == 0 && planner_) caf::anon_send(planner_, read_with{doors_.readers.front()});
            caf::anon_send(deps_->gateway, gateway_call{[number, r = doors_.readers[number]](gateway& g) {
                             g.use_reader(number, r);
                           }});
          },
          [](caf::error&) {});
}

// A part that cannot be replaced is gone: the doors close, and whoever runs the process is told, once.
void supervisor::fail(const std::string& why) {
  if (!failed_.empty()) return;
  failed_ = why;
  deps_->port->passes = gate::failed;
  deps_->says.say(note_level::error, "node-failed " + why);
  if (auto ready = std::exchange(deps_->ready, nullptr))
    ready(core::failure{core::errc::aborted, why, {}, {}});
  if (auto fatal = std::exchange(deps_->fatal, nullptr)) fatal(why);
}

void supervisor::write_event(core::event_kind kind, const std::string& text) {
  note_in_journal(this, storage_, kind, text, deps_->clock->now());
}

node_status supervisor::status() const {
  node_status s;
  s.ready = deps_->port->passes == gate::serving;
  s.stopping = stopping_;
  s.started_at = started_at_;
  s.processes = deps_->processes != nullptr ? deps_->processes->running() : 0;
  for (const auto& c : children_)
    s.children.push_back({c.name,
                          !c.ended                      ? "up"
                          : c.restart_at != core::never ? "restarting"
                                                        : "given_up",
                          c.restarts, c.note});
  s.children.insert(s.children.end(), executors_.begin(), executors_.end());
  if (!failed_.empty()) s.issues.push_back("failed: " + failed_);
  if (!store_serving_)
    s.issues.push_back(std::string{core::code_of(store_trouble_.code)} + ": " + store_trouble_.text);
  std::size_t lost = 0;
  for (const auto& c : children_)
    if (!stopping_ && c.ended && c.restart_at == core::never && c.what != duty::vital)
      s.issues.push_back("actor_given_up: " + c.name + " " + c.note);
  for (const auto& e : executors_)
    if (e.state == "given_up") {
      ++lost;
      s.issues.push_back("executor_given_up: " + e.note);
    }
  s.issues.insert(s.issues.end(), cluster_issues_.begin(), cluster_issues_.end());
  const bool nobody_works = lost > 0 && lost == executors_.size();
  s.health = !failed_.empty() || !store_serving_ || nobody_works ? "unhealthy"
             : s.issues.empty()                                  ? "healthy"
                                                                 : "degraded";
  return s;
}

}  // namespace belfry::actors
