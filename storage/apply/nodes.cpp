// Nodes of the cluster.
#include <utility>

#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

std::optional<core::failure> engine::apply_one(work& w, const tell_node& c) {
  auto d = core::decide_node(rows_.find_node(c.what.node.name), c.what, w.set.actor, w.set.now);
  if (!d) return std::move(d).error();
  if (d->changed) rows_.put_node(d->next);
  if (d->event) append(w, *d->event, {}, {}, std::move(d->text));
  if (d->changed || d->event)
    w.changed = true;
  else
    w.repeated = true;
  w.out.nodes.push_back(std::move(d->next));
  return std::nullopt;
}

}  // namespace belfry::storage
