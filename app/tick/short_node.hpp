// SHORT NODE: a node on a data folder, for a machine where none is resident: the one that has the folder, or
// one of our own for as long as the command needs it.
//
// One process has a store. Whoever finds it taken talks to that node over the socket in the folder; whoever
// finds it free starts a node as a child, without TCP, which plans nothing by itself and ends with its
// parent. Two commands of the same minute meet in one node; when the one that started it is done first,
// running work goes on until it has ended, and the other starts a node of its own.
#pragma once

#include <memory>
#include <string>

#include "app/cli/context.hpp"
#include "platform/ports/companion.hpp"

namespace belfry::app {

class short_node {
 public:
  explicit short_node(std::string folder) : folder_(std::move(folder)) {}

  // Makes `ctx` speak to the node on the folder. Throws a refusal when there is none and none can be started.
  // May be called again when contact was lost.
  void reach(context& ctx);
  // A node of our own: waits until nothing runs on it any more, then ends it. Else nothing.
  void leave(context& ctx);

 private:
  bool answers() const;
  void begin();
  void sweep(context& ctx) const;

  std::string folder_;
  std::unique_ptr<platform::companion> own_;
};

}  // namespace belfry::app
