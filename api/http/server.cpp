#include "api/http/server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <optional>
#include <thread>

#include "api/http/engine.hpp"
#include "api/http/listener.hpp"

namespace belfry::api {
namespace {

namespace asio = boost::asio;
using error = boost::system::error_code;
using keep_running = asio::executor_work_guard<asio::io_context::executor_type>;

constexpr std::uint32_t most_threads = 16;
constexpr auto drain_step = std::chrono::milliseconds{5};

template <class N>
void within(std::vector<core::field_problem>& found, const std::string& pointer, N value, N least, N most) {
  if (value >= least && value <= most) return;
  found.push_back({pointer, std::to_string(value), std::to_string(least) + " to " + std::to_string(most),
                   "it is out of range"});
}

void positive(std::vector<core::field_problem>& found, const std::string& pointer, core::span value) {
  if (value <= core::span{0})
    found.push_back(
        {pointer, std::to_string(core::millis(value)) + "ms", "more than 0", "it is out of range"});
}

core::failure not_these(std::vector<core::field_problem> found) {
  std::string text = found.front().pointer + ": " + found.front().detail;
  return {core::errc::invalid, std::move(text), std::move(found), {}};
}

}  // namespace

std::vector<core::field_problem> check(const server_options& o) {
  std::vector<core::field_problem> found;
  if (o.listen.empty() && o.unix_socket.empty())
    found.push_back({"listen", "", "at least one address, or a unix socket", "nobody could reach the node"});
  for (std::size_t i = 0; i < o.listen.size(); ++i)
    if (auto a = split_address(o.listen[i]); !a) {
      auto p = a.error().problems.front();
      p.pointer = "listen/" + std::to_string(i);
      found.push_back(std::move(p));
    }
  within<std::uint32_t>(found, "threads", o.threads, 1, most_threads);
  within<std::size_t>(found, "stream_page", o.stream_page, 1, 1000);
  const auto& l = o.limits;
  within<std::size_t>(found, "limits/body", l.body, 1024, 64U << 20);
  within<std::size_t>(found, "limits/header_line", l.header_line, 256, 1U << 20);
  within<std::size_t>(found, "limits/header_total", l.header_total, 512, 1U << 20);
  within<std::size_t>(found, "limits/headers", l.headers, 8, 10'000);
  within<std::size_t>(found, "limits/connections", l.connections, 1, 1'000'000);
  within<std::size_t>(found, "limits/pipelined", l.pipelined, 1, 1024);
  within<std::size_t>(found, "limits/requests", l.requests, 1, 1'000'000);
  within<std::size_t>(found, "limits/streams", l.streams, 0, 1'000'000);
  positive(found, "limits/header_time", l.header_time);
  positive(found, "limits/body_time", l.body_time);
  positive(found, "limits/idle_time", l.idle_time);
  positive(found, "limits/write_time", l.write_time);
  positive(found, "limits/keep_alive", l.keep_alive);
  for (auto p : core::check(o.access)) {
    p.pointer = "access/" + p.pointer;
    found.push_back(std::move(p));
  }
  return found;
}

struct server::impl {
  std::shared_ptr<engine> core_engine;
  std::vector<std::shared_ptr<listener>> listeners;
  std::optional<keep_running> guard;
  std::vector<std::thread> threads;
  bool stopped = false;
};

server::server(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
server::~server() { stop(core::span{0}); }

core::result<std::unique_ptr<server>> server::start(messages::node_port& port, platform::meter& meter,
                                                    const platform::clock& time, server_options options) {
  if (auto found = check(options); !found.empty()) return not_these(std::move(found));
  auto i = std::make_unique<impl>();
  const auto threads = options.threads;
  i->core_engine =
      std::make_shared<engine>(std::make_shared<door>(&port, meter, time, std::move(options)), threads);
  return begin(std::move(i));
}

core::result<std::unique_ptr<server>> server::start_member(upstream& to, platform::meter& meter,
                                                           const platform::clock& time,
                                                           server_options options, forwarding_limits limits) {
  if (auto found = check(options); !found.empty()) return not_these(std::move(found));
  auto i = std::make_unique<impl>();
  const auto threads = options.threads;
  i->core_engine =
      std::make_shared<engine>(std::make_shared<door>(nullptr, meter, time, std::move(options)), threads);
  i->core_engine->at->elsewhere = forward_to(to, limits, *i->core_engine);
  return begin(std::move(i));
}

core::result<std::unique_ptr<server>> server::begin(std::unique_ptr<impl> i) {
  const auto& o = i->core_engine->at->options;
  const auto take = [&i](core::result<std::shared_ptr<listener>> l) -> core::result<void> {
    if (!l) {
      for (auto& other : i->listeners) other->stop();
      i->core_engine->io.poll();  // lets go of what the stops have put there
      return l.error();
    }
    i->listeners.push_back(std::move(*l));
    return {};
  };
  for (const auto& address : o.listen)
    if (auto ok = take(listen_tcp(i->core_engine, address)); !ok) return ok.error();
  if (!o.unix_socket.empty())
    if (auto ok = take(listen_unix(i->core_engine, o.unix_socket)); !ok) return ok.error();
  for (auto& l : i->listeners) l->start();
  i->guard.emplace(i->core_engine->io.get_executor());
  for (std::uint32_t t = 0; t < o.threads; ++t)
    i->threads.emplace_back([e = i->core_engine] {
      for (;;) {
        try {
          e->io.run();
          return;
        } catch (...) {  // NOLINT(bugprone-empty-catch): a connection died of it; the others go on
        }
      }
    });
  return std::unique_ptr<server>{new server{std::move(i)}};
}

std::vector<std::string> server::addresses() const {
  std::vector<std::string> all;
  for (const auto& l : impl_->listeners) all.push_back(l->address());
  return all;
}

void server::adopt(platform::descriptor connection, std::string node) {
  const auto e = impl_->core_engine;
  if (e->at->stopping) return;
  error ec;
  any_socket s{asio::make_strand(e->io.get_executor())};
  s.assign(asio::local::stream_protocol{}, connection.get(), ec);
  if (ec) return;
  (void)connection.release();
  const auto open = e->at->connections.load();
  serve(e, std::move(s), listener_kind::member, open >= e->at->options.limits.connections, std::move(node));
}

void server::stop(core::span drain) {
  auto& i = *impl_;
  if (i.stopped) return;
  i.stopped = true;
  const auto e = i.core_engine;
  e->at->stopping = true;
  for (auto& l : i.listeners) l->stop();
  for (auto& c : e->everybody()) c->wind_down();
  for (core::span waited{0}; waited < drain && !e->everybody().empty(); waited += drain_step)
    std::this_thread::sleep_for(drain_step);
  e->shut();
  for (auto& c : e->everybody()) c->cut();
  i.guard.reset();
  for (auto& t : i.threads) t.join();
  if (e->at->elsewhere) e->at->elsewhere->stop();
}

}  // namespace belfry::api
