// LINKS: the door of a node towards its cluster, and its way to others. One thread; everything below runs on
// it, unless it says otherwise.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "platform/links/handshake.hpp"
#include "platform/links/notes.hpp"
#include "platform/links/places.hpp"
#include "platform/links/pump.hpp"
#include "platform/ports/secure_links.hpp"

namespace belfry::platform::links {

// A dial under way.
struct call {
  explicit call(boost::asio::io_context& io) : peer(io), timer(io) {}
  std::uint64_t number = 0;
  std::string address, expected;
  link_protocol protocol = link_protocol::actors;
  std::chrono::steady_clock::time_point deadline{};
  std::function<void(core::result<secure_link>)> done;
  std::vector<boost::asio::ip::tcp::endpoint> to;  // the next one last
  std::string trouble;                             // of the one tried before
  boost::asio::ip::tcp::socket peer;
  boost::asio::steady_timer timer;
  std::shared_ptr<handshake> shaking;
};

class tls_links final : public secure_links {
 public:
  tls_links(secure_link_options options, tls_contexts contexts);
  ~tls_links() override;
  tls_links(const tls_links&) = delete;
  tls_links& operator=(const tls_links&) = delete;

  core::result<std::string> listen(const std::string& address,
                                   std::function<void(secure_link)> came) override;
  void dial(const std::string& address, link_protocol protocol, const std::string& expected,
            core::span deadline, std::function<void(core::result<secure_link>)> done) override;
  std::string node() const override { return tls_.self.node; }
  std::string cluster() const override { return tls_.self.cluster; }
  counts seen() const override;

 private:
  using id = std::uint64_t;
  struct established {
    std::shared_ptr<pump> run;
    std::string node, address;
    link_protocol protocol;
    bool accepted;
  };

  void accept_next();
  void accept_all();
  void accept_failed(int error);
  void came_in(descriptor peer, const boost::asio::ip::tcp::endpoint& from);
  void accepted(id which, const boost::asio::ip::tcp::endpoint& from, handshake& h, const core::failure* why);
  answer admit(const std::string& node, link_protocol protocol) const;
  std::size_t held_by(const std::string& node) const;
  void make_room(const std::string& node);

  void look_up(const std::shared_ptr<call>& c);
  void connect(const std::shared_ptr<call>& c);
  void start_call(const std::shared_ptr<call>& c);
  void greet(const std::shared_ptr<call>& c);
  void end_call(const std::shared_ptr<call>& c, core::result<secure_link> how);

  core::result<secure_link> establish(handshake& h, const std::string& address, bool accepted);
  void refuse(const std::string& address, const std::string& why);
  void count();

  secure_link_options o_;
  tls_contexts tls_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::steady_timer pause_;
  std::chrono::milliseconds pause_length_{0};
  std::function<void(secure_link)> came_;
  std::vector<char> scratch_;
  places places_;
  notes notes_;
  id next_ = 1;
  std::unordered_map<id, std::shared_ptr<handshake>> shaking_;
  std::map<id, established> links_;  // the oldest first
  std::unordered_map<id, std::shared_ptr<call>> calls_;
  std::size_t of_http_ = 0;
  std::atomic<std::size_t> seen_handshakes_{0}, seen_links_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<bool> listening_{false};
  std::thread thread_;
};

}  // namespace belfry::platform::links
