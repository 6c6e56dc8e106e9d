#include "core/queue/ready_line.hpp"

#include <utility>
#include <vector>

namespace belfry::core::queueing {

namespace {

std::uint64_t hash_of(std::int64_t id) { return mixed(0, static_cast<std::uint64_t>(id)); }

}  // namespace

slot ready_runs::find(run_id id) const {
  return by_id_.find(hash_of(id.value), [&](slot s) { return runs_[s].key.id == id.value; });
}

void ready_runs::append_to(std::vector<run_id>& ids) const {
  for (slot s = 0; s < runs_.end(); ++s)
    if (runs_[s].group != no_slot) ids.push_back(run_id{runs_[s].key.id});
}

slot ready_runs::add(ready_line& line, slot group, run_key key) {
  const slot s = runs_.add();
  ready_run& run = runs_[s];
  run.key = key;
  run.group = group;
  run.stay = ++stays_ & ((1U << 29U) - 1U);
  by_id_.insert(hash_of(key.id), s);
  ++line.size;
  if (line.first == no_slot) {
    line.first = line.last = s;
  } else if (key < runs_[line.first].key) {
    run.after = line.first;
    runs_[line.first].before = s;
    line.first = s;
  } else if (!insert_near_end(line, s)) {
    insert_in_tree(line, s);
  }
  return s;
}

// A few late ones at the end must not send all that follow into the tree.
bool ready_runs::insert_near_end(ready_line& line, slot s) {
  ready_run& run = runs_[s];
  slot earlier = line.last;
  for (int steps = 0; run.key < runs_[earlier].key; ++steps) {
    if (steps == 8) return false;
    earlier = runs_[earlier].before;
  }
  run.before = earlier;
  run.after = std::exchange(runs_[earlier].after, s);
  (run.after == no_slot ? line.last : runs_[run.after].before) = s;
  return true;
}

void ready_runs::first_of(const ready_line& line, std::size_t at_most, std::vector<slot>& into) const {
  std::vector<slot> open;  // of the tree: subtrees whose root comes next
  const auto descend = [&](slot tree) {
    for (; tree != no_slot; tree = runs_[tree].before) open.push_back(tree);
  };
  descend(line.root);
  slot listed = line.first;
  for (std::size_t n = 0; n < at_most && (listed != no_slot || !open.empty()); ++n) {
    if (open.empty() || (listed != no_slot && runs_[listed].key < runs_[open.back()].key)) {
      into.push_back(listed);
      listed = runs_[listed].after;
      continue;
    }
    const slot next = open.back();
    open.pop_back();
    into.push_back(next);
    descend(runs_[next].after);
  }
}

void ready_runs::remove(ready_line& line, slot s) {
  const ready_run& run = runs_[s];
  if (run.in_tree) {
    remove_from_tree(line, s);
  } else {
    (run.before == no_slot ? line.first : runs_[run.before].after) = run.after;
    (run.after == no_slot ? line.last : runs_[run.after].before) = run.before;
  }
  --line.size;
  by_id_.erase(hash_of(run.key.id), s);
  runs_.remove(s);
}

std::size_t ready_runs::count_before(const ready_line& line, const run_key& key, std::size_t at_most) const {
  std::size_t count = 0;
  for (slot s = line.first; s != no_slot && count < at_most && runs_[s].key < key; s = runs_[s].after)
    ++count;
  // In order, so that the walk ends with the first that does not come before.
  std::vector<slot> path;
  slot s = line.root;
  while (count < at_most && (s != no_slot || !path.empty())) {
    for (; s != no_slot; s = runs_[s].before) path.push_back(s);
    s = path.back();
    path.pop_back();
    if (!(runs_[s].key < key)) break;
    ++count;
    s = runs_[s].after;
  }
  return count;
}

void ready_runs::insert_in_tree(ready_line& line, slot s) {
  ready_run& run = runs_[s];
  run.in_tree = true;
  if (line.least == no_slot || run.key < runs_[line.least].key) line.least = s;
  const std::uint64_t own = weight(run.key);
  slot* link = &line.root;
  while (*link != no_slot && weight(runs_[*link].key) >= own)
    link = run.key < runs_[*link].key ? &runs_[*link].before : &runs_[*link].after;
  const slot below = *link;
  *link = s;
  split(below, run.key, &run.before, &run.after);
}

void ready_runs::remove_from_tree(ready_line& line, slot s) {
  const ready_run& run = runs_[s];
  slot* link = &line.root;
  while (*link != s) link = run.key < runs_[*link].key ? &runs_[*link].before : &runs_[*link].after;
  *link = merged(run.before, run.after);
  if (line.least != s) return;
  line.least = line.root;
  while (line.least != no_slot && runs_[line.least].before != no_slot) line.least = runs_[line.least].before;
}

// Both results are links inside the nodes already placed: chunks of the slab never move.
void ready_runs::split(slot tree, const run_key& key, slot* lower, slot* upper) {
  while (tree != no_slot) {
    if (runs_[tree].key < key) {
      *lower = tree;
      lower = &runs_[tree].after;
      tree = *lower;
    } else {
      *upper = tree;
      upper = &runs_[tree].before;
      tree = *upper;
    }
  }
  *lower = no_slot;
  *upper = no_slot;
}

slot ready_runs::merged(slot lower, slot upper) {
  slot root = no_slot;
  slot* link = &root;
  while (lower != no_slot && upper != no_slot) {
    if (weight(runs_[lower].key) >= weight(runs_[upper].key)) {
      *link = lower;
      link = &runs_[lower].after;
      lower = *link;
    } else {
      *link = upper;
      link = &runs_[upper].before;
      upper = *link;
    }
  }
  *link = lower != no_slot ? lower : upper;
  return root;
}

}  // namespace belfry::core::queueing
