// The way to others: look up, connect to one address after another, shake hands; all before one deadline.
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

#include "platform/errno_text.hpp"
#include "platform/links/address.hpp"
#include "platform/links/links.hpp"

namespace belfry::platform::links {

namespace {

using tcp = boost::asio::ip::tcp;
constexpr std::size_t most_addresses = 8;

core::failure failed(core::errc code, const std::string& address, const std::string& why) {
  return {code, "no link to " + address + ": " + why, {}, {}, 0};
}

}  // namespace

void tls_links::dial(const std::string& address, link_protocol protocol, const std::string& expected,
                     core::span deadline, std::function<void(core::result<secure_link>)> done) {
  auto c = std::make_shared<call>(io_);
  c->address = address;
  c->expected = expected;
  c->protocol = protocol;
  c->deadline = std::chrono::steady_clock::now() + (deadline > core::span{0} ? deadline : o_.handshake);
  c->done = std::move(done);
  boost::asio::post(io_, [this, c] { start_call(c); });
}

void tls_links::start_call(const std::shared_ptr<call>& c) {
  c->number = next_++;
  if (calls_.size() >= o_.handshakes)
    return c->done(failed(core::errc::overloaded, c->address, "too many others are being called"));
  calls_.emplace(c->number, c);
  count();
  c->timer.expires_at(c->deadline);
  c->timer.async_wait([this, c](const boost::system::error_code& e) {
    if (e) return;
    const auto why = c->trouble.empty() ? "it did not answer in time" : "not in time; " + c->trouble;
    end_call(c, failed(core::errc::timed_out, c->address, why));
  });
  look_up(c);
}

void tls_links::look_up(const std::shared_ptr<call>& c) {
  const auto parts = parse_address(c->address);
  if (!parts) return end_call(c, parts.error());
  boost::system::error_code e;
  const auto numeric = boost::asio::ip::make_address(parts->host, e);
  if (!e) {
    c->to.emplace_back(numeric, parts->port);
    return connect(c);
  }
  resolver_.async_resolve(
      parts->host, std::to_string(parts->port), tcp::resolver::numeric_service,
      [this, c](const boost::system::error_code& error, tcp::resolver::results_type found) {
        if (!c->done) return;
        if (error) return end_call(c, failed(core::errc::unavailable, c->address, error.message()));
        for (const auto& each : found)
          if (c->to.size() < most_addresses) c->to.push_back(each.endpoint());
        std::reverse(c->to.begin(), c->to.end());
        connect(c);
      });
}

void tls_links::connect(const std::shared_ptr<call>& c) {
  if (c->to.empty())
    return end_call(c, failed(core::errc::unavailable, c->address,
                              c->trouble.empty() ? "it has no address" : c->trouble));
  const auto to = c->to.back();
  c->to.pop_back();
  boost::system::error_code e;
  c->peer.close(e);
  descriptor fd(::socket(to.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return end_call(c, failed(core::errc::unavailable, c->address, errno_text(errno)));
  c->peer.assign(to.protocol(), fd.get(), e);
  if (e) return end_call(c, failed(core::errc::unavailable, c->address, e.message()));
  fd.release();
  c->peer.async_connect(to, [this, c](const boost::system::error_code& error) {
    if (!c->done) return;
    if (!error) return greet(c);
    c->trouble = error.message();
    connect(c);
  });
}

void tls_links::greet(const std::shared_ptr<call>& c) {
  boost::system::error_code e;
  c->peer.non_blocking(true, e);
  c->peer.set_option(tcp::no_delay(true), e);
  auto tls =
      std::make_unique<tls_peer>(tls_.calls.get(), c->peer.native_handle(), tls_.self.cluster, c->expected);
  if (!*tls) return end_call(c, failed(core::errc::unavailable, c->address, "no memory"));
  tls->offer(c->protocol);
  c->shaking = std::make_shared<handshake>(
      handshake_parts{&io_, std::move(c->peer), std::move(tls), false, c->deadline, {}});
  c->shaking->start([this, c](handshake& h, const core::failure* why) {
    if (why != nullptr) {
      auto f = *why;
      f.text = "no link to " + c->address + ": " + f.text;
      return end_call(c, std::move(f));
    }
    if (h.protocol() != c->protocol)
      return end_call(c, failed(core::errc::unauthorised, c->address, "it speaks another protocol"));
    if (links_.size() >= o_.connections)
      return end_call(c, failed(core::errc::overloaded, c->address, "this node has all its connections"));
    end_call(c, establish(h, c->address, false));
  });
}

void tls_links::end_call(const std::shared_ptr<call>& c, core::result<secure_link> how) {
  if (!c->done) return;
  c->timer.cancel();
  boost::system::error_code ignored;
  c->peer.close(ignored);
  if (c->shaking) {
    if (!how) {
      c->shaking->drop();
      c->shaking->parts().peer.close(ignored);
    }
    c->shaking.reset();
  }
  calls_.erase(c->number);
  count();
  const auto done = std::exchange(c->done, nullptr);
  done(std::move(how));
}

}  // namespace belfry::platform::links
