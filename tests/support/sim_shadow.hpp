// SIM SHADOW: what the store must hold, kept from what it answered: rows as applied, and behind them as last
// committed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/job/job.hpp"
#include "core/queue/board.hpp"
#include "core/run/run.hpp"
#include "core/session/session.hpp"

namespace belfry::tests {

/// A map that remembers how it was at the last commit, and how it would have been had the last lost
/// transaction not been.
template <class K, class V>
class kept_map {
 public:
  const V* find(const K& k) const {
    const auto it = now_.find(k);
    return it == now_.end() ? nullptr : &it->second;
  }
  const V* committed(const K& k) const {
    const auto it = undo_.find(k);
    if (it == undo_.end()) return find(k);
    return it->second ? &*it->second : nullptr;
  }
  void put(const K& k, V v) {
    remember(k);
    now_[k] = std::move(v);
  }
  V& change(const K& k) {
    remember(k);
    return now_.at(k);
  }
  void erase(const K& k) {
    remember(k);
    now_.erase(k);
  }
  void commit() {
    undo_.clear();
    maybe_.clear();
  }
  /// `again`: an earlier transaction may still turn out to have been kept, this one certainly was not.
  void lose(bool again) {
    if (!again) maybe_.clear();
    for (auto& [k, old] : undo_) {
      const auto it = now_.find(k);
      if (!again) maybe_[k] = it == now_.end() ? std::optional<V>{} : std::optional<V>{std::move(it->second)};
      if (old)
        now_[k] = std::move(*old);
      else if (it != now_.end())
        now_.erase(it);
    }
    undo_.clear();
  }
  /// The transaction that was thought lost did reach the disk (a power cut in the middle of its commit).
  void was_kept() {
    for (auto& [k, v] : maybe_) {
      if (v)
        now_[k] = std::move(*v);
      else
        now_.erase(k);
    }
    commit();
  }
  bool open() const { return !undo_.empty(); }
  const std::map<K, V>& all() const { return now_; }
  const std::map<K, std::optional<V>>& changed() const { return undo_; }

 private:
  void remember(const K& k) {
    if (undo_.contains(k)) return;
    const auto it = now_.find(k);
    undo_[k] = it == now_.end() ? std::optional<V>{} : std::optional<V>{it->second};
  }

  std::map<K, V> now_;
  std::map<K, std::optional<V>> undo_;   // how it was, of what the open transaction touched
  std::map<K, std::optional<V>> maybe_;  // how it would be, of what the last lost transaction touched
};

struct shadow_run {
  core::run_head head;
  std::shared_ptr<const core::run_spec> spec;
  core::handler_kind handler = core::handler_kind::process;
  std::vector<core::attempt_record> attempts;  // ended ones, by number
};

struct sim_shadow {
  kept_map<core::run_id, shadow_run> runs;
  kept_map<core::job_id, core::job> jobs;
  kept_map<core::session_id, core::session> sessions;
  kept_map<int, core::limit_options> limits;  // one entry at most
  kept_map<core::pause_target, std::vector<core::pause_entry>> pauses;

  /// Whether anything keeps a holder of this kind from this run: said here in another way than in the core.
  bool paused(const core::run_head& head, const core::session* holder, core::instant now) const {
    const auto stands = [&](const core::pause_target& on) {
      const auto* all = pauses.find(on);
      if (all == nullptr) return false;
      for (const auto& e : *all)
        if (e.until == core::never || e.until > now) return true;
      return false;
    };
    if (stands({core::pause_scope::scheduler, {}, {}})) return true;
    if (stands({core::pause_scope::workspace, head.needs.workspace, {}})) return true;
    if (head.job && !head.forced && stands({core::pause_scope::job, {}, head.job})) return true;
    return holder != nullptr && stands({core::pause_scope::agent_type, holder->agent_type, {}});
  }

  void commit() { runs.commit(), jobs.commit(), sessions.commit(), limits.commit(), pauses.commit(); }
  void lose(bool again) {
    runs.lose(again), jobs.lose(again), sessions.lose(again), limits.lose(again), pauses.lose(again);
  }
  bool open() const {
    return runs.open() || jobs.open() || sessions.open() || limits.open() || pauses.open();
  }
  void was_kept() {
    runs.was_kept(), jobs.was_kept(), sessions.was_kept(), limits.was_kept(), pauses.was_kept();
  }
};

}  // namespace belfry::tests
