// ENGINE: the io context, its threads, and the way into it from threads of the node. Everything that lives on
// a strand keeps the engine alive, so that a late answer of the node never meets a context that is gone.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "api/http/door.hpp"
#include "api/http/exchange.hpp"

namespace belfry::api {

using strand = boost::asio::strand<boost::asio::io_context::executor_type>;
using any_socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, strand>;

class link_end;  // a connection, as the engine sees it

class engine : public std::enable_shared_from_this<engine> {
 public:
  engine(std::shared_ptr<door> d, std::uint32_t threads)
      : at(std::move(d)), io(static_cast<int>(threads)), single_(threads == 1) {}

  std::shared_ptr<door> at;
  boost::asio::io_context io;

  // Runs `t` on the strand soon; a burst costs one wake-up of the io thread. After `shut` it is destroyed
  // unrun.
  void post(const strand& s, std::shared_ptr<void> keep, std::unique_ptr<task> t);
  void shut();

  void enter(link_end* who, std::weak_ptr<link_end> how);
  void leave(link_end* who);
  std::vector<std::shared_ptr<link_end>> everybody();

 private:
  struct parcel {
    strand where;
    std::shared_ptr<void> keep;
    std::unique_ptr<task> what;
  };
  void deliver();

  const bool single_;
  std::mutex parcels_mutex_;
  std::vector<parcel> parcels_;
  bool armed_ = false;
  bool closed_ = false;
  std::mutex ends_mutex_;
  std::unordered_map<link_end*, std::weak_ptr<link_end>> ends_;
};

class link_end {
 public:
  virtual ~link_end() = default;
  // Both may be called from any thread. wind_down: no more requests, streams end, what is under way is
  // answered, then it closes.
  virtual void wind_down() = 0;
  virtual void cut() = 0;
};

enum class listener_kind : std::uint8_t { loopback, remote, unix_socket, member };
// Takes over an accepted socket. `refuse`: the node has too many connections; the first request is answered
// 503. `peer`: of a member's connection, the name that it has shown.
void serve(const std::shared_ptr<engine>& e, any_socket socket, listener_kind kind, bool refuse,
           std::string peer = {});
// The whole of what happens to a request before its handler, and the handler. On the strand.
void dispatch(const std::shared_ptr<exchange>& x);
// What the client called the request, when that is fit to be repeated; else a new name.
std::string request_id_for(const exchange& x);

}  // namespace belfry::api
