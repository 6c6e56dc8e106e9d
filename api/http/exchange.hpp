// EXCHANGE: one request and its one answer. Handlers run on the strand of the connection; what the node
// answers on a thread of its own is brought back there first. An exchange that nobody answers, because a
// question was dropped, answers for itself when it is destroyed: no client waits for ever.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http/request.hpp"
#include "api/http/target.hpp"
#include "core/errors/result.hpp"
#include "messages/node_port.hpp"

namespace belfry::api {

struct door;
struct route;

// Work for a strand, handed over from any thread.
class task {
 public:
  virtual ~task() = default;
  virtual void run() = 0;
};
template <class F>
std::unique_ptr<task> make_task(F f) {
  struct holder final : task {
    explicit holder(F g) : f(std::move(g)) {}
    void run() override { f(); }
    F f;
  };
  return std::make_unique<holder>(std::move(f));
}

// An answer of unknown length. On the strand only; one write at a time.
class stream {
 public:
  virtual ~stream() = default;
  // `written(false)`: the client has gone or did not take it in time, and the stream is closed.
  virtual void write(std::string bytes, std::function<void(bool)> written) = 0;
  virtual void finish() = 0;
  virtual void abort() = 0;  // the client sees that it is not whole
  virtual bool open() const = 0;
};

// What an exchange needs of its connection. All but `post` on the strand.
class reply_line {
 public:
  virtual ~reply_line() = default;
  virtual void answer(std::uint64_t slot, std::string head, std::string body, bool close) = 0;
  // `closed` is called once, when the connection goes before finish(). `unbroken`: not to be ended early.
  virtual std::shared_ptr<stream> begin_stream(std::uint64_t slot, std::string head, bool chunked,
                                               bool unbroken, std::function<void()> closed) = 0;
  virtual void post(std::unique_ptr<task> t) = 0;  // any thread
  virtual void after(core::span delay, std::unique_ptr<task> t) = 0;
  virtual bool client_gone() const = 0;
  virtual bool keep_alive() const = 0;
};

class exchange : public std::enable_shared_from_this<exchange> {
 public:
  exchange(std::shared_ptr<door> d, std::shared_ptr<reply_line> line, std::uint64_t slot, request q);
  ~exchange();
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;

  request in;
  const route* at = nullptr;
  std::vector<std::string> arguments;                           // of the path
  std::vector<std::pair<std::string, std::string>> parameters;  // of the query
  std::string request_id;
  std::string actor;
  std::string_view token;  // the name of the access token; empty: none. Lives as long as the server
  bool close = false;      // end the connection after the answer

  door& node() const { return *door_; }
  reply_line& line() const { return *line_; }
  void answer(response r);
  void refuse(const core::failure& f);
  void refuse(const core::failure& f, unsigned status,
              std::vector<std::pair<std::string_view, std::string>> headers = {});
  bool answered() const { return answered_; }
  std::shared_ptr<stream> begin_stream(response head, std::function<void()> closed);
  bool has_parameter(std::string_view name) const;
  std::string_view parameter(std::string_view name) const;  // empty when absent

  // A reply for the node: f(exchange, value) on the strand; a failure refuses the request.
  template <class T, class F>
  messages::reply<T> then(F f) {
    return whole<T>([f = std::move(f)](const std::shared_ptr<exchange>& x, core::result<T> r) mutable {
      if (r)
        f(x, std::move(*r));
      else
        x->refuse(r.error());
    });
  }
  // The same with the failure in hand: f(exchange, result).
  template <class T, class F>
  messages::reply<T> whole(F f) {
    return [self = shared_from_this(), f = std::move(f)](core::result<T> r) mutable {
      auto& line = self->line();
      line.post(make_task(
          [x = std::move(self), g = std::move(f), v = std::move(r)]() mutable { g(x, std::move(v)); }));
    };
  }

 private:
  std::shared_ptr<door> door_;
  std::shared_ptr<reply_line> line_;
  std::uint64_t slot_;
  std::size_t body_size_;
  core::instant began_;
  bool answered_ = false;
  void note(unsigned status);
};

}  // namespace belfry::api
