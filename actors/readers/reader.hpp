// READER: answers questions about what is committed, on a connection and, in a real node, a thread of its
// own. A slow list never delays a commit.
#pragma once

#include <memory>

#include "messages/interfaces.hpp"
#include "storage/contract/reader.hpp"

namespace belfry::actors {

struct reader_deps {
  std::shared_ptr<storage::reader> store;
};

class reader : public messages::reader_actor::base {
 public:
  reader(caf::actor_config& cfg, reader_deps deps);
  const char* name() const override { return "reader"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  reader_deps deps_;
};

}  // namespace belfry::actors
