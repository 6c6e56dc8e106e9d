// CALLER: one thread's way to the node: its line, its pace of trying again, and what is said about it.
#pragma once

#include <memory>

#include "app/work/desk.hpp"
#include "app/work/node_line.hpp"
#include "app/work/notes.hpp"
#include "app/work/retry_pace.hpp"

namespace belfry::app {

// What the threads of a worker are made of.
struct work_parts {
  const work_plan& plan;
  const platform::clock& clock;
  work_desk& desk;
  work_notes& notes;
  platform::processes& children;
  platform::randomness& chance;  // has no state that threads would share
  std::string mark;

  /// The node, or an operator through it, wants the worker to end what it has and go. False.
  bool leave() const;
};

class caller {
 public:
  explicit caller(work_parts& parts) : parts_(parts), line_(parts.plan), pace_(parts.plan.patience) {}

  /// Asks once; contact, or its loss, is said.
  node_word ask(const std::string& method, const std::string& target, const std::string& body,
                core::span timeout);
  node_word post(const std::string& target, const std::string& body, core::span timeout) {
    return ask("POST", target, body, timeout);
  }
  /// After "not now": waits for the next try. False: patience is over, and the worker gives up.
  bool wait(const node_word& word, bool leave_on_drain);

 private:
  work_parts& parts_;
  node_line line_;
  retry_pace pace_;
};

}  // namespace belfry::app
