// CLUSTER: the links of a coordinator to its members, and the way of a member's requests to its coordinator.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "actors/cluster/admission.hpp"
#include "actors/cluster/caf_links.hpp"
#include "actors/node/node.hpp"
#include "api/http/server.hpp"
#include "app/options/configuration.hpp"
#include "platform/ports/secure_links.hpp"

namespace belfry::app {

// From the folder of certificates. `admits`: null for a member, which takes nobody.
core::result<std::unique_ptr<platform::secure_links>> open_certificates(
    const configuration& c, const std::shared_ptr<actors::admission>& admits);
actors::caf_link_options link_options_of(const configuration& c);

// Opened before the node, closed after it.
class coordinator_links {
 public:
  static core::result<std::unique_ptr<coordinator_links>> open(const configuration& c);
  // What the node is told of its cluster.
  void introduce(configuration& c, actors::node_parts& parts) const;
  // Once the node and its server are there: members come in. The address with its true port.
  core::result<std::string> listen(const std::string& address, api::server& to);
  void leave();  // the server goes

 private:
  std::shared_ptr<actors::admission> admits_ = std::make_shared<actors::admission>();
  std::unique_ptr<platform::secure_links> secure_;
  std::unique_ptr<actors::caf_links> links_;  // behind what it goes through
  std::mutex mutex_;
  api::server* server_ = nullptr;
};

}  // namespace belfry::app
