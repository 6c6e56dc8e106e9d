#include "core/queue/gates.hpp"

namespace belfry::core::queueing {

std::uint64_t gate_table::hash_of(meter_kind kind, std::int64_t id, std::string_view key) const {
  const auto seed = mixed(static_cast<std::uint64_t>(kind), static_cast<std::uint64_t>(id));
  return kind == meter_kind::key ? mixed(seed, key) : seed;
}

slot gate_table::find(meter_kind kind, std::int64_t id, std::string_view key) const {
  return by_name_.find(hash_of(kind, id, key), [&](slot s) {
    const meter& m = meters_[s];
    return m.kind == kind && m.id == id && m.key == key;
  });
}

slot gate_table::meter_of(meter_kind kind, std::int64_t id, std::string_view key) {
  if (const slot known = find(kind, id, key); known != no_slot) return known;
  const slot s = meters_.add();
  meters_[s].kind = kind;
  meters_[s].id = id;
  meters_[s].key = key;
  meters_[s].held = kind == meter_kind::job && held_jobs_.contains(job_id{id});
  by_name_.insert(hash_of(kind, id, key), s);
  return s;
}

slot gate_table::gate_of(slot m, std::uint32_t limit, bool forced) {
  for (slot g = meters_[m].first_gate; g != no_slot; g = gates_[g].next)
    if ((meters_[m].kind != meter_kind::key || gates_[g].limit == limit) && gates_[g].forced == forced)
      return g;
  const slot g = gates_.add();
  gates_[g].meter = m;
  gates_[g].limit = limit;
  gates_[g].forced = forced;
  gates_[g].next = meters_[m].first_gate;
  meters_[m].first_gate = g;
  return g;
}

bool gate_table::set_limit(slot g, std::uint32_t limit) {
  const bool was_open = open(g);
  gates_[g].limit = limit;
  return !was_open && open(g);
}

void gate_table::leave(slot g) {
  if (--gates_[g].groups > 0) return;
  const slot m = gates_[g].meter;
  slot* link = &meters_[m].first_gate;
  while (*link != g) link = &gates_[*link].next;
  *link = gates_[g].next;
  gates_.remove(g);
  tidy(m);
}

void gate_table::tidy(slot m) {
  const meter& it = meters_[m];
  if (it.used > 0 || it.first_gate != no_slot) return;
  by_name_.erase(hash_of(it.kind, it.id, it.key), m);
  meters_.remove(m);
}

}  // namespace belfry::core::queueing
