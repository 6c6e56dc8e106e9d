#include "storage/apply/match.hpp"

#include <algorithm>

#include "storage/apply/lookup.hpp"

namespace belfry::storage {
namespace {

template <class T>
bool contains(const std::vector<T>& all, const T& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

bool within(core::instant t, const std::optional<core::instant>& from,
            const std::optional<core::instant>& to) {
  return (!from || t >= *from) && (!to || t < *to);
}

}  // namespace

bool matches(const core::run_filter& f, const core::run_head& h, const std::vector<std::string>& tags) {
  if (!f.states.empty() && !contains(f.states, h.state)) return false;
  if (f.job && *f.job != h.job) return false;
  if (f.batch && *f.batch != h.batch) return false;
  if (f.workspace && *f.workspace != h.needs.workspace) return false;
  if (f.lane && *f.lane != h.lane) return false;
  if (f.prio && *f.prio != h.prio) return false;
  if (f.holder && !(leased(h.state) && *f.holder == h.held.holder)) return false;
  const auto has = [&](const std::string& tag) { return contains(tags, tag); };
  if (!f.tags_any.empty() && std::none_of(f.tags_any.begin(), f.tags_any.end(), has)) return false;
  if (!std::all_of(f.tags_all.begin(), f.tags_all.end(), has)) return false;
  if (!name_contains(h.name, f.name_contains)) return false;
  if (!within(h.created_at, f.created_from, f.created_to)) return false;
  if ((f.ended_from || f.ended_to) &&
      (h.ended_at == core::never || !within(h.ended_at, f.ended_from, f.ended_to)))
    return false;
  if (f.due_before && (h.due_at == core::never || h.due_at >= *f.due_before)) return false;
  return !f.dead_letters || (core::ended_badly(h.state) && !h.successor && !h.discarded);
}

bool matches(const core::event_filter& f, const core::event& e) {
  return (!f.run || *f.run == e.run) && (!f.job || *f.job == e.job) &&
         (f.kinds.empty() || contains(f.kinds, e.kind));
}

}  // namespace belfry::storage
