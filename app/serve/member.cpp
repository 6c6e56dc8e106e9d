#include "app/serve/member.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <optional>

#include "actors/cluster/member.hpp"
#include "api/http/server.hpp"
#include "app/cli/refusal.hpp"
#include "app/serve/cluster.hpp"
#include "app/serve/ending.hpp"
#include "app/serve/folder.hpp"
#include "core/time/text.hpp"
#include "platform/ports/clock.hpp"
#include "platform/ports/files.hpp"
#include "platform/ports/metrics.hpp"
#include "platform/ports/processes.hpp"
#include "platform/process/watchdog.hpp"

namespace belfry::app {
namespace {

constexpr auto http_dial_time = std::chrono::seconds{5};

// Connections for the requests of this member's clients: to the address that answered last, else to the next.
class way_to_coordinator final : public api::upstream {
 public:
  way_to_coordinator(platform::secure_links& links, const actors::member_node& node,
                     std::vector<std::string> addresses, core::instant started)
      : links_(links), node_(node), addresses_(std::move(addresses)), started_(started) {
    seat_->way = this;
  }
  // What is dialled for us by then is let go of.
  ~way_to_coordinator() override {
    const std::lock_guard lock{seat_->mutex};
    seat_->way = nullptr;
  }

  void connect(std::function<void(core::result<platform::descriptor>)> done) override {
    dial(at_.load(), addresses_.size(), std::move(done));
  }

  api::member_seen seen() const override {
    const auto s = node_.status();
    api::member_seen m;
    m.node = links_.node();
    m.cluster = s.cluster.empty() ? links_.cluster() : s.cluster;
    m.coordinator = s.coordinator.empty() ? addresses_[at_.load() % addresses_.size()] : s.coordinator;
    m.joined = s.joined;
    m.draining = s.draining;
    m.stopping = stopping.load();
    m.trouble = s.trouble;
    m.since = s.since;
    m.started_at = started_;
    m.running = s.running;
    return m;
  }

  std::atomic<bool> stopping{false};

 private:
  using told = std::function<void(core::result<platform::descriptor>)>;
  struct seat {
    std::recursive_mutex mutex;  // a dial that fails at once tells so at once
    way_to_coordinator* way = nullptr;
  };

  void dial(std::size_t at, std::size_t left, told done) {
    const auto& address = addresses_[at % addresses_.size()];
    links_.dial(address, platform::link_protocol::http, node_.status().coordinator, http_dial_time,
                [s = seat_, at, left, done = std::move(done)](core::result<platform::secure_link> l) {
                  const std::lock_guard lock{s->mutex};
                  if (s->way == nullptr) return;
                  if (l) {
                    s->way->at_ = at;
                    return done(std::move(l->local));
                  }
                  if (left > 1) return s->way->dial(at + 1, left - 1, done);
                  done(l.error());
                });
  }

  platform::secure_links& links_;
  const actors::member_node& node_;
  const std::vector<std::string> addresses_;
  const core::instant started_;
  std::atomic<std::size_t> at_{0};
  const std::shared_ptr<seat> seat_ = std::make_shared<seat>();
};

struct member_setting {
  std::unique_ptr<platform::clock> clock = platform::system_clock();
  std::unique_ptr<platform::randomness> randomness = platform::system_randomness();
  std::unique_ptr<platform::meter> meter = platform::make_meter();
  std::unique_ptr<folder_lock> lock;
  std::string mark;
  std::size_t orphans = 0;
  std::unique_ptr<platform::secure_links> secure;
  std::unique_ptr<actors::caf_links> links;
  std::optional<platform::watchdog> watchdog;
  std::unique_ptr<platform::processes> processes;
  std::mutex mutex;
  std::optional<core::failure> refused;  // why it will never be let in
};

template <class T>
T or_refuse(core::result<T> r) {
  if (!r) throw refusal(r.error());
  return std::move(*r);
}

void prepare(member_setting& p, const configuration& c) {
  if (auto made = make_data_folder(c.serve.data); !made) throw refusal(made.error());
  p.lock = or_refuse(folder_lock::take(c.serve.data));
  p.mark = or_refuse(mark_of(c.serve.data));
  p.secure = or_refuse(open_certificates(c, nullptr));
  // Before it says hello: a hello of another boot gives back what its predecessor held.
  p.orphans = platform::kill_marked(p.mark, std::chrono::seconds{10});
  p.watchdog = or_refuse(platform::watchdog::start({"/proc/self/exe", "__guard", p.mark}));
  p.processes = platform::real_processes(c.processes, *p.clock);
  p.links = actors::make_caf_links(*p.secure, link_options_of(c));
}

actors::member_options options_of(const configuration& c, const member_setting& p) {
  actors::member_options o;
  o.node = p.secure->node();
  o.mark = p.mark;
  o.coordinators = c.cluster.join;
  o.labels = c.cluster.labels;
  o.capabilities = c.cluster.capabilities;
  o.version = BELFRY_VERSION;
  o.membership = c.node.cluster.membership;
  o.executor = c.node.executor;
  o.threads = c.node.threads;
  o.clock_jump = c.node.clock_jump;
  return o;
}

actors::member_parts parts_of(member_setting& p) {
  actors::member_parts given;
  given.links = p.links.get();
  given.clock = p.clock.get();
  given.randomness = p.randomness.get();
  given.processes = p.processes.get();
  given.meter = p.meter.get();
  given.note = [](actors::note_level level, const std::string& line) { log_line(level_of(level), line); };
  given.fatal = [&p](const core::failure& why) {
    log_line(log_level::error,
             "member-refused code=" + std::string(core::code_of(why.code)) + " text=\"" + why.text + "\"");
    {
      const std::lock_guard lock{p.mutex};
      p.refused = why;
    }
    platform::interrupt_wait();
  };
  given.doomed_at = [&p](core::instant at) {
    if (auto told = p.watchdog->doom(at); !told)
      log_line(log_level::error, "watchdog-deaf text=\"" + told.error().text + "\"");
  };
  return given;
}

void set_doors(configuration& c, const loaded& settings) {
  if (c.http.unix_socket.empty())
    c.http.unix_socket = c.serve.data + "/belfry.sock";
  else if (c.http.unix_socket == "none")
    c.http.unix_socket.clear();
  if (c.http.data_folder.empty()) c.http.data_folder = c.serve.data;
  c.http.configuration = told_of(settings, c);
}

void log_member_start(const configuration& c, const member_setting& p, const std::vector<std::string>& all) {
  std::string where, to;
  for (const auto& each : all) where += (where.empty() ? "" : ",") + each;
  for (const auto& each : c.cluster.join) to += (to.empty() ? "" : ",") + each;
  if (isatty(STDERR_FILENO) == 1)
    std::fprintf(stderr, "belfry %s, member %s of %s, listens on %s\n", BELFRY_VERSION,
                 p.secure->node().c_str(), p.secure->cluster().c_str(), where.c_str());
  log_line(log_level::info, "node-listening addresses=\"" + where + "\" data=\"" + c.serve.data +
                                "\" version=" BELFRY_VERSION + " pid=" + std::to_string(getpid()) +
                                " orphans_killed=" + std::to_string(p.orphans) +
                                " member=" + p.secure->node() + " cluster=" + p.secure->cluster() +
                                " join=\"" + to + "\"");
}

}  // namespace

int serve_member(const loaded& settings) {
  configuration c = settings.values;
  platform::block_signals();
  platform::raise_file_limit();
  start_log(c.log);

  member_setting p;
  prepare(p, c);
  actors::member_node node(options_of(c, p), parts_of(p));
  way_to_coordinator way(*p.secure, node, c.cluster.join, p.clock->now());
  if (auto started = node.start(); !started) throw refusal(started.error());
  set_doors(c, settings);
  auto server = api::server::start_member(way, *p.meter, *p.clock, c.http);
  if (!server) {
    (void)node.stop(core::span{0});
    throw refusal(server.error());
  }
  log_member_start(c, p, (*server)->addresses());
  notify_manager("READY=1");

  const int signal = platform::wait_for_signal();
  notify_manager("STOPPING=1");
  way.stopping = true;
  std::optional<core::failure> refused;
  {
    const std::lock_guard lock{p.mutex};
    refused = p.refused;
  }
  log_line(log_level::info, refused ? std::string("stop-asked reason=refused")
                                    : "stop-asked signal=" + std::to_string(signal) +
                                          " drain=" + core::to_text(c.serve.drain_timeout));
  const auto ended = drain(node, **server, refused ? core::span{0} : c.serve.drain_timeout);
  if (!ended) {
    log_line(log_level::error, "node-stop-failed text=\"" + ended.error().text + "\"");
    std::fflush(nullptr);
    std::_Exit(number_of(exit_code::unexpected));
  }
  if (refused) throw refusal(*refused);
  return number_of(exit_code::ok);
}

}  // namespace belfry::app
