#include "api/http/listener.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>

namespace belfry::api {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using unix_protocol = asio::local::stream_protocol;
using error = boost::system::error_code;

constexpr auto pause_when_out_of_descriptors = std::chrono::milliseconds{100};
constexpr std::size_t refused_at_a_time =
    64;  // connections beyond the limit that are told so; more are just closed

core::failure cannot(const std::string& what, const error& ec) {
  return {core::errc::unavailable, "cannot listen on " + what + ": " + ec.message(), {}, {}};
}

template <class Protocol>
class acceptor_listener final : public listener,
                                public std::enable_shared_from_this<acceptor_listener<Protocol>> {
 public:
  using acceptor = asio::basic_socket_acceptor<Protocol, strand>;

  explicit acceptor_listener(std::shared_ptr<engine> e)
      : engine_(std::move(e)),
        own_(asio::make_strand(engine_->io.get_executor())),
        acceptor_(own_),
        pause_(own_) {}

  error open(const typename Protocol::endpoint& at) {
    error ec;
    acceptor_.open(at.protocol(), ec);
    if (!ec && std::is_same_v<Protocol, tcp>)
      acceptor_.set_option(typename acceptor::reuse_address{true}, ec);
    if (!ec) acceptor_.bind(at, ec);
    return ec;
  }
  error listen() {
    error ec;
    acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    return ec;
  }
  void describe(std::string address, listener_kind kind, std::string remove) {
    address_ = std::move(address);
    kind_ = kind;
    remove_ = std::move(remove);
  }
  acceptor& socket() { return acceptor_; }

  void start() override {
    asio::post(own_, [self = this->shared_from_this()] { self->accept(); });
  }
  void stop() override {
    if (stopped_.exchange(true)) return;
    if (!remove_.empty()) ::unlink(remove_.c_str());
    asio::post(own_, [self = this->shared_from_this()] {
      error ignored;
      self->pause_.cancel();
      self->acceptor_.close(ignored);
    });
  }
  std::string address() const override { return address_; }

 private:
  void accept() {
    if (stopped_) return;
    acceptor_.async_accept(
        asio::make_strand(engine_->io.get_executor()),
        [self = this->shared_from_this()](error ec, asio::basic_stream_socket<Protocol, strand> s) {
          self->on_accept(ec, std::move(s));
        });
  }
  void on_accept(error ec, asio::basic_stream_socket<Protocol, strand> s) {
    if (stopped_ || ec == asio::error::operation_aborted) return;
    if (ec) {  // out of descriptors or memory: others may give some back
      pause_.expires_after(pause_when_out_of_descriptors);
      pause_.async_wait([self = this->shared_from_this()](error e) {
        if (!e) self->accept();
      });
      return;
    }
    const auto open = engine_->at->connections.load();
    const auto limit = engine_->at->options.limits.connections;
    if (open < limit + refused_at_a_time) serve(engine_, any_socket{std::move(s)}, kind_, open >= limit);
    accept();
  }

  const std::shared_ptr<engine> engine_;
  strand own_;
  acceptor acceptor_;
  asio::steady_timer pause_;
  std::string address_;
  std::string remove_;
  listener_kind kind_ = listener_kind::loopback;
  std::atomic<bool> stopped_{false};
};

std::string url_of(const tcp::endpoint& at) {
  const auto host = at.address().to_string();
  return "http://" + (at.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(at.port());
}

core::failure not_an_address(const std::string& address) {
  core::failure f{core::errc::invalid, "not an address to listen on: " + address, {}, {}};
  f.problems.push_back(
      {"", address, "HOST:PORT, such as 127.0.0.1:7420 or [::1]:7420", "it is not a host and a port"});
  return f;
}

core::result<tcp::endpoint> resolve(asio::io_context& io, const std::string& address) {
  const auto parts = split_address(address);
  if (!parts) return parts.error();
  tcp::resolver resolver{io};
  error ec;
  const auto found =
      resolver.resolve(parts->host, parts->port, tcp::resolver::passive | tcp::resolver::numeric_service, ec);
  if (ec || found.empty()) return cannot(address, ec);
  for (const auto& entry : found)
    if (entry.endpoint().address().is_v4()) return entry.endpoint();
  return found.begin()->endpoint();
}

// A file left behind by a node that was killed answers nobody.
core::result<void> remove_stale(asio::io_context& io, const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode))
    return core::failure{
        core::errc::unavailable, path + " is there and is not a socket, so it is left alone", {}, {}};
  unix_protocol::socket probe{io};
  error ec;
  probe.connect(unix_protocol::endpoint{path}, ec);
  if (!ec)
    return core::failure{
        core::errc::unavailable, "cannot listen on " + path + ": another process answers there", {}, {}};
  ::unlink(path.c_str());
  return {};
}

}  // namespace

core::result<host_and_port> split_address(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size()) return not_an_address(address);
  host_and_port out{address.substr(0, colon), address.substr(colon + 1)};
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']')
    out.host = out.host.substr(1, out.host.size() - 2);
  else if (out.host.find(':') != std::string::npos)
    return not_an_address(address);
  unsigned port = 0;
  const auto* end = out.port.data() + out.port.size();
  const auto r = std::from_chars(out.port.data(), end, port);
  if (r.ec != std::errc{} || r.ptr != end || port > 65535 || out.host.empty()) return not_an_address(address);
  return out;
}

core::result<std::shared_ptr<listener>> listen_tcp(const std::shared_ptr<engine>& e,
                                                   const std::string& address) {
  const auto at = resolve(e->io, address);
  if (!at) return at.error();
  const bool local = at->address().is_loopback();
  if (!local && !e->at->options.allow_remote) {
    core::failure f{core::errc::invalid,
                    "not listening on " + address +
                        ": it can be reached from other machines, and there is no authentication yet, "
                        "so anybody who reaches it could run commands here",
                    {},
                    {}};
    f.problems.push_back(
        {"listen", address, "an address on loopback, such as 127.0.0.1:7420",
         "set allow_remote to take the risk, for example behind a proxy that checks who comes"});
    return f;
  }
  auto l = std::make_shared<acceptor_listener<tcp>>(e);
  auto ec = l->open(*at);
  if (!ec) ec = l->listen();
  if (ec) return cannot(address, ec);
  l->describe(url_of(l->socket().local_endpoint()), local ? listener_kind::loopback : listener_kind::remote,
              {});
  return std::static_pointer_cast<listener>(l);
}

core::result<std::shared_ptr<listener>> listen_unix(const std::shared_ptr<engine>& e,
                                                    const std::string& path) {
  if (path.size() >= 108) {
    core::failure f{core::errc::invalid, "the path of the unix socket is too long", {}, {}};
    f.problems.push_back({"unix_socket", path, "at most 107 bytes", "the system takes no longer ones"});
    return f;
  }
  if (auto free = remove_stale(e->io, path); !free) return free.error();
  auto l = std::make_shared<acceptor_listener<unix_protocol>>(e);
  auto ec = l->open(unix_protocol::endpoint{path});
  // Before it listens, nobody can connect: there is no moment with wider rights.
  if (!ec && ::chmod(path.c_str(), 0600) != 0) ec = error{errno, boost::system::system_category()};
  if (!ec) ec = l->listen();
  if (ec) return cannot(path, ec);
  l->describe("unix:" + path, listener_kind::unix_socket, path);
  return std::static_pointer_cast<listener>(l);
}

}  // namespace belfry::api
