// EVENT LISTENERS: which jobs may be started by an event, found without looking at the others. By name, and
// for names that end in * by their beginning.
//
// It may hold more than is true: a job whose change was taken back is asked once too often, and its row
// answers. It never holds less, so whoever changes a job adds first and takes away after the commit.
#pragma once

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/ids/id.hpp"
#include "core/schedule/trigger.hpp"

namespace belfry::core {

class event_listeners {
 public:
  void add(job_id job, const event_trigger& on);   // besides what it waits for already
  void only(job_id job, const event_trigger* on);  // this and nothing else; null: nothing
  bool knows(job_id job) const { return of_job_.contains(job); }
  bool nobody() const { return of_job_.empty(); }
  // Whether anybody waits for belfry's own events of this kind: the one question on the way of every event.
  bool hears(event_kind k) const { return kinds_[static_cast<std::size_t>(k)] > 0; }
  // Jobs that it fits, by id.
  std::vector<job_id> who(const outside_event& e) const;

 private:
  struct listener {
    job_id job;
    event_trigger on;
  };
  using shelf = std::vector<listener>;
  shelf& shelf_of(const event_trigger& on);
  void count(const event_trigger& on, int by);

  static constexpr std::size_t kind_room = 256;
  std::unordered_map<std::string, shelf> by_name_;
  std::map<std::size_t, std::unordered_map<std::string, shelf>> by_beginning_;  // of so many characters
  std::unordered_map<job_id, std::vector<event_trigger>> of_job_;
  std::array<int, kind_room> kinds_{};
};

}  // namespace belfry::core
