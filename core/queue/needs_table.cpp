#include "core/queue/needs_table.hpp"

#include <algorithm>
#include <utility>

namespace belfry::core::queueing {

namespace {

std::uint64_t hash_of(const requirement& r, handler_kind handler) {
  std::uint64_t h = mixed(static_cast<std::uint64_t>(handler), r.person_only ? 1 : 0);
  h = mixed(h, static_cast<std::uint64_t>(r.exact_session.value));
  h = mixed(h, r.workspace);
  h = mixed(h, r.channel);
  for (const auto& c : r.capabilities) h = mixed(h, c);
  h = mixed(h, r.capabilities.size());
  for (const auto& c : r.preferred) h = mixed(h, c);
  h = mixed(h, r.preferred.size());
  for (const auto& t : r.agent_types) h = mixed(h, t);
  return h;
}

// Few enough to be searched one by one; the node's own executors, who ask most, always stay among them.
constexpr std::size_t remembered_sessions = 16;
constexpr std::size_t remembered_classes = 10'000;

// Everything that eligibility can depend on; when it was seen last is not part of it.
bool same_abilities(const session& a, const session& b) {
  return a.id == b.id && a.state == b.state && a.prompting == b.prompting && a.local == b.local &&
         a.agent_type == b.agent_type && a.workspace == b.workspace && a.channel == b.channel &&
         a.capabilities == b.capabilities && a.handlers == b.handlers && a.name == b.name;
}

bool all_in(const std::vector<std::string>& some, const std::vector<std::string>& words) {
  return std::all_of(some.begin(), some.end(),
                     [&](const auto& w) { return std::find(words.begin(), words.end(), w) != words.end(); });
}

// Whether `a` refuses nobody whom `b` admits.
bool asks_no_more(const requirement& a, const requirement& b) {
  return a.workspace == b.workspace && a.person_only == b.person_only &&
         (a.channel.empty() || a.channel == b.channel) &&
         (!a.exact_session || a.exact_session == b.exact_session) && all_in(a.capabilities, b.capabilities) &&
         (a.agent_types.empty() || (!b.agent_types.empty() && all_in(b.agent_types, a.agent_types)));
}

}  // namespace

slot needs_table::find_or_add(const requirement& needs, handler_kind handler) {
  const std::uint64_t hash = hash_of(needs, handler);
  const slot known = by_content_.find(
      hash, [&](slot n) { return classes_[n].handler == handler && classes_[n].needs == needs; });
  if (known != no_slot) return known;
  const slot n = classes_.add();
  classes_[n].needs = needs;
  classes_[n].handler = handler;
  classes_[n].made = ++made_;
  classes_[n].held = std::find(held_.begin(), held_.end(), needs.workspace) != held_.end();
  if (filled_.size() <= n) filled_.resize(n + std::size_t{1});
  by_content_.insert(hash, n);
  return n;
}

void needs_table::remove(slot n) {
  by_content_.erase(hash_of(classes_[n].needs, classes_[n].handler), n);
  classes_.remove(n);
}

needs_table::memory& needs_table::memory_of(const session& s) {
  ++asked_;
  memory* oldest = nullptr;
  for (memory& m : memories_) {
    if (same_abilities(m.who, s)) {
      m.used = asked_;
      return m;
    }
    if (!oldest || m.used < oldest->used) oldest = &m;
  }
  if (memories_.size() < remembered_sessions) oldest = &memories_.emplace_back();
  *oldest = {s, {}, asked_};
  return *oldest;
}

void needs_table::hold_workspaces(std::vector<std::string> names) {
  if (names == held_) return;
  held_ = std::move(names);
  for (slot n = 0; n < classes_.end(); ++n)
    classes_[n].held = std::find(held_.begin(), held_.end(), classes_[n].needs.workspace) != held_.end();
}

std::vector<slot> needs_table::open_to(const session& s) {
  std::vector<slot> open;
  auto& known = memory_of(s).verdicts;
  known.resize(std::min(std::max<std::size_t>(known.size(), classes_.end()), remembered_classes));
  for (slot n = 0; n < classes_.end(); ++n) {
    if (filled_[n] == 0 || classes_[n].held) continue;
    std::uint64_t forgotten = 0;
    std::uint64_t& verdict = n < known.size() ? known[n] : forgotten;
    if (verdict / 2 != classes_[n].made)
      verdict = classes_[n].made * 2 + (may_take(s, classes_[n].needs, classes_[n].handler) ? 1 : 0);
    if (verdict % 2 != 0) open.push_back(n);
  }
  return open;
}

std::vector<slot> needs_table::open_with(slot n) const {
  std::vector<slot> open;
  for (slot other = 0; other < classes_.end(); ++other)
    if (classes_[other].ready > 0 && !classes_[other].held &&
        classes_[other].handler == classes_[n].handler &&
        asks_no_more(classes_[other].needs, classes_[n].needs))
      open.push_back(other);
  return open;
}

std::size_t needs_table::ready_for(const session& s) const {
  std::size_t ready = 0;
  for (slot n = 0; n < classes_.end(); ++n)
    if (classes_[n].ready > 0 && may_take(s, classes_[n].needs, classes_[n].handler))
      ready += classes_[n].ready;
  return ready;
}

bool needs_table::any_open_to(const session& s) const {
  for (slot n = 0; n < classes_.end(); ++n)
    if (classes_[n].ready > 0 && !classes_[n].held && may_take(s, classes_[n].needs, classes_[n].handler))
      return true;
  return false;
}

}  // namespace belfry::core::queueing
