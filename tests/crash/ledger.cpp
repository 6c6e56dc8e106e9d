#include "tests/crash/ledger.hpp"

#include "tests/support/real_node.hpp"

namespace belfry::test {

std::string shown(const last_word& w) {
  return w.state + " attempt " + std::to_string(w.attempt) + " fencing " + std::to_string(w.fencing);
}

void ledger::broken(const std::string& what) {
  const std::lock_guard lock(mutex_);
  if (broken_.size() < 30) broken_.push_back(what);
}

std::vector<std::string> ledger::all_broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

void ledger::acknowledge(wish w) {
  ++answers;
  submitted += w.ids.size();
  if (w.ids.size() != w.count)
    broken(w.name + " was for " + std::to_string(w.count) + " runs; answered were " +
           std::to_string(w.ids.size()));
  const std::lock_guard lock(mutex_);
  for (const auto& id : w.ids) {
    const auto [it, fresh] = runs_.emplace(id, w.name);
    if (!fresh && broken_.size() < 30)
      broken_.push_back("the id " + id + " was given to " + it->second + " and to " + w.name);
    order_.push_back(id);
  }
  kept_.push_back(std::move(w));
}

void ledger::leave_open(wish w) {
  const std::lock_guard lock(mutex_);
  open_.push_back(std::move(w));
}

std::vector<wish> ledger::take_open_wishes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(open_, {});
}

std::vector<wish> ledger::wishes() const {
  const std::lock_guard lock(mutex_);
  return kept_;
}

std::map<std::string, std::string> ledger::acknowledged_runs() const {
  const std::lock_guard lock(mutex_);
  return runs_;
}

// One of the newer ones: those are under way.
std::optional<std::string> ledger::some_run(std::mt19937_64& chance) const {
  const std::lock_guard lock(mutex_);
  if (order_.empty()) return std::nullopt;
  const auto window = std::min<std::size_t>(order_.size(), 300);
  return order_[order_.size() - 1 - chance() % window];
}

void ledger::claimed(const std::string& run, std::uint64_t fencing, const std::string& token) {
  ++answers;
  ++claims;
  std::string before;
  {
    const std::lock_guard lock(mutex_);
    const auto [it, fresh] = claims_.emplace(std::pair{run, fencing}, token);
    if (!fresh) before = it->second;
  }
  if (!before.empty()) broken(run + " was given out twice under fencing number " + std::to_string(fencing));
}

void ledger::leave_open(verdict v) {
  const std::lock_guard lock(mutex_);
  verdicts_.push_back(std::move(v));
}

std::vector<verdict> ledger::take_open_verdicts() {
  const std::lock_guard lock(mutex_);
  return std::exchange(verdicts_, {});
}

void ledger::told(const std::string& run, const last_word& w) {
  ++answers;
  if (!is_terminal(w.state)) return;
  std::string before;
  {
    const std::lock_guard lock(mutex_);
    const auto [it, fresh] = finished_.emplace(run, w);
    if (!fresh && !(it->second == w)) before = shown(it->second);
  }
  if (!before.empty()) broken(run + " had ended as " + before + " and is now " + shown(w));
}

std::map<std::string, last_word> ledger::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

std::size_t ledger::unfinished() const {
  const std::lock_guard lock(mutex_);
  return order_.size() - std::min(order_.size(), finished_.size());
}

std::vector<std::string> ledger::tokens() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [key, token] : claims_) all.push_back(token);
  return all;
}

void gate::open(endpoint where) {
  const std::lock_guard lock(mutex_);
  where_ = std::move(where);
  ++epoch_;
  open_ = true;
  changed_.notify_all();
}

void gate::close() { open_ = false; }

void gate::end() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  end_ = true;
  changed_.notify_all();
}

bool gate::all_waiting(std::chrono::milliseconds deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, deadline, [this] { return waiting_ == crowd_; });
}

bool gate::enter(std::uint64_t& seen, endpoint& where) {
  std::unique_lock lock(mutex_);
  ++waiting_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return end_ || (open_ && epoch_ > seen); });
  --waiting_;
  seen = epoch_;
  where = where_;
  return !end_;
}

}  // namespace belfry::test
