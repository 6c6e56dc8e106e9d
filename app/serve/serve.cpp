#include "app/serve/serve.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "actors/node/node.hpp"
#include "api/http/server.hpp"
#include "api/json/hooks.hpp"
#include "api/json/wakes.hpp"
#include "app/cli/refusal.hpp"
#include "app/log/log.hpp"
#include "app/output/words.hpp"
#include "app/serve/cluster.hpp"
#include "app/serve/ending.hpp"
#include "app/serve/folder.hpp"
#include "app/serve/member.hpp"
#include "core/time/text.hpp"
#include "platform/ports/clock.hpp"
#include "platform/ports/files.hpp"
#include "platform/ports/metrics.hpp"
#include "platform/ports/processes.hpp"
#include "platform/ports/signals.hpp"
#include "storage/contract/open.hpp"

namespace belfry::app {
namespace {

// What the journal of a busy store grows to until it is used from its beginning again: eight times
// `checkpoint_pages`, each with 24 bytes before it, and the last commit.
constexpr std::uint64_t journal_room = 34U << 20;

core::result<std::unique_ptr<storage::store>> open_store(configuration& c, const platform::clock& clock) {
  if (c.serve.store == store_kind::memory)
    return storage::open_memory(storage::make_memory_disk(), clock.now(), c.store.node);
  c.store.path = c.serve.data + "/belfry.db";
  c.store.notes_start = c.node.plans;
  c.store.journal_room = journal_room;
  c.store.disk_free = [folder = c.serve.data] {
    const auto free = platform::disk_free(folder);
    return free == 0 ? std::numeric_limits<std::uint64_t>::max()
                     : free;  // 0: unknown; a disk that is full tells by itself
  };
  return storage::open_sqlite(c.store, clock.now());
}

// For the test that an executor which throws is restarted: BELFRY_TEST_CRASH_EXECUTOR=NAME lets the executor
// crash at each run of this name, =NAME:N at the first N of them.
std::function<void(const messages::claimed_run&)> planted_fault() {
  const char* given = std::getenv("BELFRY_TEST_CRASH_EXECUTOR");
  if (given == nullptr || *given == '\0') return {};
  const std::string text(given);
  const auto colon = text.rfind(':');
  const std::string name = text.substr(0, colon);
  auto left = std::make_shared<std::atomic<long>>(
      colon == std::string::npos ? 1L << 30 : std::strtol(text.c_str() + colon + 1, nullptr, 10));
  return [name, left](const messages::claimed_run& claimed) {
    if (claimed.run.head.name == name && left->fetch_sub(1) > 0)
      throw std::runtime_error("planted by BELFRY_TEST_CRASH_EXECUTOR");
  };
}

// At most five lines: where it is, where its data is, what to try.
void tell_start(const configuration& c, const std::vector<std::string>& addresses) {
  std::string where, first;
  for (const auto& each : addresses) {
    where += (where.empty() ? "" : "  ") + each;
    if (first.empty()) first = each;
  }
  const bool memory = c.serve.store == store_kind::memory;
  std::fprintf(stderr, "belfry %s listens on %s\n", BELFRY_VERSION, where.c_str());
  std::fprintf(stderr, "data in %s%s\n", c.serve.data.c_str(),
               memory ? ", runs in memory only: they are gone when this node ends" : "");
  std::fprintf(stderr, "try: BELFRY_URL=%s belfry submit --follow -- echo hello\n", first.c_str());
}

void log_start(const configuration& c, const std::vector<std::string>& addresses, std::size_t orphans) {
  std::string where;
  for (const auto& each : addresses) where += (where.empty() ? "" : ",") + each;
  log_line(log_level::info, std::string("node-listening addresses=\"") + where + "\" data=\"" + c.serve.data +
                                "\" version=" BELFRY_VERSION + " pid=" + std::to_string(getpid()) +
                                " orphans_killed=" + std::to_string(orphans));
}

struct parts {
  std::unique_ptr<platform::clock> clock = platform::system_clock();
  std::unique_ptr<platform::randomness> randomness = platform::system_randomness();
  std::unique_ptr<platform::meter> meter = platform::make_meter();
  std::unique_ptr<platform::processes> processes;
  std::unique_ptr<platform::webhooks> webhooks, hook_calls;
  std::unique_ptr<platform::start_check> start_check;
  std::unique_ptr<folder_lock> lock;
  std::unique_ptr<coordinator_links> cluster;
  std::string mark;
  std::size_t orphans = 0;
  std::atomic<bool> broken{false};
};

int run_until_told(actors::node& node, api::server& server, const configuration& c, parts& p) {
  const int signal = platform::wait_for_signal();
  notify_manager("STOPPING=1");
  log_line(log_level::info, p.broken ? std::string("stop-asked reason=broken")
                                     : "stop-asked signal=" + std::to_string(signal) +
                                           " drain=" + core::to_text(c.serve.drain_timeout));
  const auto ended = drain(node, server, p.broken ? core::span{0} : c.serve.drain_timeout);
  if (ended) {
    return number_of(p.broken ? exit_code::unexpected : exit_code::ok);
  }
  // An actor does not end, and waiting for it would hang for ever. Everything that was answered is on the
  // disk.
  log_line(log_level::error, "node-stop-failed text=\"" + ended.error().text + "\"");
  std::fflush(nullptr);
  std::_Exit(number_of(exit_code::unexpected));
}

}  // namespace

int serve(const loaded& settings) {
  if (!settings.values.cluster.join.empty()) return serve_member(settings);
  configuration c = settings.values;
  platform::block_signals();
  platform::raise_file_limit();
  start_log(c.log);

  parts p;
  if (auto made = make_data_folder(c.serve.data); !made) throw refusal(made.error());
  auto lock = folder_lock::take(c.serve.data);
  if (!lock) throw refusal(lock.error());
  p.lock = std::move(*lock);
  auto mark = mark_of(c.serve.data);
  if (!mark) throw refusal(mark.error());
  p.mark = *mark;
  auto store = open_store(c, *p.clock);
  if (!store) throw refusal(store.error());
  // What a node that was killed has left behind must be gone before its runs are given to somebody else.
  p.orphans = platform::kill_marked(p.mark, std::chrono::seconds{10});
  p.processes = platform::real_processes(c.processes, *p.clock);
  c.webhooks.agent = "belfry/" BELFRY_VERSION;
  p.webhooks = platform::real_webhooks(c.webhooks);

  // The address of the claim hook is the operator's own word, so it may be anywhere.
  auto hook_options = c.webhooks;
  hook_options.private_targets = true;
  if (!c.node.claim_hook.url.empty()) p.hook_calls = platform::real_webhooks(hook_options);

  c.node.mark = p.mark;
  c.node.executor.fault = planted_fault();
  actors::node_parts given;
  given.store = std::move(*store);
  given.clock = p.clock.get();
  given.randomness = p.randomness.get();
  given.processes = p.processes.get();
  given.meter = p.meter.get();
  given.webhooks = p.webhooks.get();
  given.wake_text = api::json::wake_text;
  given.hook_calls = p.hook_calls.get();
  given.hook_text = api::json::hook_text;
  given.hook_verdict = api::json::read_hook_verdict;
  given.note = [](actors::note_level level, const std::string& line) { log_line(level_of(level), line); };
  given.fatal = [&p](const std::string& why) {
    log_line(log_level::error, "node-broken text=\"" + why + "\"");
    p.broken = true;
    platform::interrupt_wait();
  };
  if (!c.cluster.listen.empty()) {
    auto links = coordinator_links::open(c);
    if (!links) throw refusal(links.error());
    p.cluster = std::move(*links);
    p.cluster->introduce(c, given);
  }
  actors::node node(c.node, std::move(given));
  if (auto started = node.start(); !started) throw refusal(started.error());

  if (c.http.unix_socket.empty())
    c.http.unix_socket = c.serve.data + "/belfry.sock";
  else if (c.http.unix_socket == "none")
    c.http.unix_socket.clear();
  if (c.http.data_folder.empty()) c.http.data_folder = c.serve.data;
  // Without executors the work is done elsewhere, and what is there nobody here can know.
  if (!c.node.executor.none) p.start_check = platform::make_start_check(c.processes, *p.clock);
  c.http.start_check = p.start_check.get();
  c.http.configuration = told_of(settings, c);
  c.http.disk_reserve = c.store.reserve;
  auto server = api::server::start(node.port(), *p.meter, *p.clock, c.http);
  if (!server) {
    (void)node.stop(core::span{0});
    throw refusal(server.error());
  }
  if (p.cluster) {
    const auto where = p.cluster->listen(c.cluster.listen, **server);
    if (!where) {
      (void)node.stop(core::span{0});
      throw refusal(where.error());
    }
    log_line(log_level::info, "cluster-listening address=" + *where + " node=" + c.node.cluster.node +
                                  " cluster=" + c.node.cluster.name);
  }
  if (const auto where = (*server)->addresses(); !where.empty()) node.listens(where.front());
  // One that is there for a moment has nothing to say to people.
  if (isatty(STDERR_FILENO) == 1 && c.node.plans) tell_start(c, (*server)->addresses());
  log_start(c, (*server)->addresses(), p.orphans);
  notify_manager("READY=1");
  const int code = run_until_told(node, **server, c, p);
  if (p.cluster) p.cluster->leave();
  return code;
}

}  // namespace belfry::app
