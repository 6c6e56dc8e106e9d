#include "app/serve/cluster.hpp"

#include <utility>

#include "actors/cluster/basp_filter.hpp"
#include "app/log/log.hpp"

namespace belfry::app {

core::result<std::unique_ptr<platform::secure_links>> open_certificates(
    const configuration& c, const std::shared_ptr<actors::admission>& admits) {
  // Each member may have 256 requests on their way (api::forwarding_limits), and links beside them.
  constexpr std::size_t connections = 4096;
  const auto& folder = c.cluster.certificates;
  platform::secure_link_options o;
  o.authority = folder + "/authority.crt";
  o.certificate = folder + "/node.crt";
  o.key = folder + "/node.key";
  o.connections = connections;
  o.filter = [] { return std::make_unique<actors::basp_filter>(); };
  if (admits) o.admits = [admits](const std::string& node) { return admits->admits(node); };
  o.note = [](const std::string& line) { log_line(log_level::warning, line); };
  return platform::open_secure_links(std::move(o));
}

actors::caf_link_options link_options_of(const configuration& c) {
  const auto& m = c.node.cluster.membership;
  actors::caf_link_options o;
  o.heartbeat = m.beat;
  o.silence = m.suspect_after;
  return o;
}

core::result<std::unique_ptr<coordinator_links>> coordinator_links::open(const configuration& c) {
  auto made = std::make_unique<coordinator_links>();
  auto secure = open_certificates(c, made->admits_);
  if (!secure) return secure.error();
  made->secure_ = std::move(*secure);
  made->links_ = actors::make_caf_links(*made->secure_, link_options_of(c));
  return made;
}

void coordinator_links::introduce(configuration& c, actors::node_parts& parts) const {
  c.node.cluster.node = secure_->node();
  c.node.cluster.name = secure_->cluster();
  c.node.cluster.version = BELFRY_VERSION;
  parts.links = links_.get();
  parts.admits = admits_;
  c.http.admits = [admits = admits_](const std::string& node) { return admits->admits(node); };
}

core::result<std::string> coordinator_links::listen(const std::string& address, api::server& to) {
  {
    const std::lock_guard lock{mutex_};
    server_ = &to;
  }
  return links_->listen_on(address, [this](platform::secure_link l) {
    const std::lock_guard lock{mutex_};
    if (server_ != nullptr && l.protocol == platform::link_protocol::http)
      server_->adopt(std::move(l.local), std::move(l.node));
  });
}

void coordinator_links::leave() {
  const std::lock_guard lock{mutex_};
  server_ = nullptr;
}

}  // namespace belfry::app
