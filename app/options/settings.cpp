#include "app/options/settings.hpp"

#include <array>
#include <limits>

#include "app/options/setting_kinds.hpp"
#include "core/operators/access.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

#define AT(member) \
  [](configuration & c) -> auto& { return c.member; }

void add_places(std::vector<setting>& s) {
  s.push_back(words(
      "node.data", AT(serve.data), "a path",
      "Folder of the store and the socket; empty for $XDG_STATE_HOME/belfry, else ~/.local/state/belfry."));
  s.push_back(
      length("node.drain_timeout", AT(serve.drain_timeout), 0s, 1h,
             "How long a node that is told to end waits for running processes before it stops them."));
  s.push_back(
      whole<std::uint32_t>("node.threads", AT(node.threads), 0, 256,
                           "Threads of the actors; 0 for one less than the cores, at least 2, and on a "
                           "member for one for each four cores, at least 1."));
  s.push_back(whole<std::uint32_t>("node.readers", AT(node.readers), 1, 16,
                                   "Connections for lists and searches, each with a thread of its own."));
  s.push_back(
      whole<std::uint8_t>("node.number", AT(store.node), 0, 255, "Goes into the ids that this node makes."));
  s.push_back(whole<std::uint32_t>(
      "node.max_open_calls", AT(node.max_open_calls), 16, 1'000'000,
      "Requests that may be under way inside the node; one more is refused as overloaded."));
  s.push_back(
      truth("node.plans", AT(node.plans),
            "Plans by itself what is due. Off for a node that is started for one tick of the machine's "
            "own scheduler: it plans only what it is told to."));
  s.push_back(length("node.clock_jump", AT(node.clock_jump), 1s, 24h,
                     "A wall clock that jumps further than this gives every lease a grace period."));
  s.push_back(length("node.clock_grace", AT(node.clock_grace), 0s, 24h, "The longest such grace period."));

  s.push_back(list("http.listen", AT(http.listen), "a list of addresses such as \"127.0.0.1:7420\"",
                   "Addresses to listen on; port 0 takes a free one."));
  s.push_back(
      words("http.socket", AT(http.unix_socket), "a path, or \"none\"",
            "Path of the unix socket; empty for belfry.sock in the data folder, none for no socket."));
  s.push_back(truth("http.allow_remote", AT(http.allow_remote),
                    "Allows addresses other than loopback. Whoever reaches them may run commands as the user "
                    "of the node."));
  s.push_back(list("http.allowed_hosts", AT(http.allowed_hosts), "a list of host names",
                   "Host names, besides loopback ones, that browsers may use for a loopback address."));
  s.push_back(whole<std::uint32_t>("http.threads", AT(http.threads), 1, 16,
                                   "Threads that read and write connections."));
  s.push_back(whole<std::size_t>("http.max_connections", AT(http.limits.connections), 1, 65'536,
                                 "Open connections; one more is answered 503."));
  s.push_back(whole<std::size_t>("http.max_requests", AT(http.limits.requests), 1, 1'000'000,
                                 "Requests under way; one more is answered 503."));
  s.push_back(whole<std::size_t>("http.max_streams", AT(http.limits.streams), 1, 65'536,
                                 "Open streams of events and logs; one more is answered 503."));
  s.push_back(size<std::size_t>("http.max_body", AT(http.limits.body), 1, 1024, 64ULL << 20U,
                                "Largest body of a request."));
  s.push_back(length("http.idle_timeout", AT(http.limits.idle_time), 1s, 1h,
                     "A connection without a request is closed after this."));
  s.push_back(length("http.keep_alive", AT(http.limits.keep_alive), 1s, 10min,
                     "Comment on a silent stream, so that clients see that it lives."));
  s.push_back(length("http.header_timeout", AT(http.limits.header_time), 100ms, 10min,
                     "How long a client may take for the headers of a request."));
  s.push_back(length("http.body_timeout", AT(http.limits.body_time), 100ms, 1h,
                     "How long a client may take for the body of a request."));
  s.push_back(length("http.write_timeout", AT(http.limits.write_time), 100ms, 1h,
                     "How long a client may leave one write of the node untaken before it is cut off."));
}

void add_store(std::vector<setting>& s) {
  using storage::durability;
  s.push_back(
      choice("store.kind", AT(serve.store),
             std::array{std::pair{"sqlite", store_kind::sqlite}, std::pair{"memory", store_kind::memory}},
             "Where runs are kept: in a file, or in memory, which forgets them at the end."));
  s.push_back(
      choice("store.durability", AT(store.sync),
             std::array{std::pair{"full", durability::full}, std::pair{"normal", durability::normal}},
             "full: an answer means written and synced. normal: a power cut may lose the last commits."));
  s.push_back(size<std::uint32_t>("store.cache", AT(store.cache_kib), 1024, 1024 * 64, 1ULL << 32U,
                                  "Page cache of the store."));
  s.push_back(
      size<std::uint64_t>("store.reserve", AT(store.reserve), 1, 0, 1ULL << 40U,
                          "New work is refused when less than this is free on the disk; 0 to not look."));
  s.push_back(size<std::uint64_t>("store.disk_alarm", AT(http.disk_alarm), 1, 0, 1ULL << 44U,
                                  "The node reports disk_low when less than this is free."));
  s.push_back(whole<std::size_t>("store.max_sets", AT(node.commit.max_sets), 1, 100'000,
                                 "Changes that share one commit at most."));
  s.push_back(size<std::size_t>("store.max_bytes", AT(node.commit.max_bytes), 1, 64 * 1024, 1ULL << 30U,
                                "Rough bytes that share one commit at most."));
}

void add_work(std::vector<setting>& s) {
  s.push_back(
      whole<std::uint32_t>("executor.processes", AT(node.executor.processes), 0, 256,
                           "Commands that the node runs at a time; 0 for four times the cores, 4 to 32."));
  s.push_back(truth("executor.none", AT(node.executor.none),
                    "The node runs nothing itself; all work is left to outside sessions."));
  s.push_back(length("executor.lease", AT(node.executor.lease), 3s, 1h,
                     "Lease of a run in an executor; it is renewed at a third of it."));
  s.push_back(size<std::uint64_t>("executor.keep_output", AT(node.executor.keep_output), 1, 1024, 1ULL << 30U,
                                  "Output kept of each attempt, its end."));
  s.push_back(size<std::uint64_t>(
      "executor.output_in_flight", AT(node.executor.output_in_flight), 1, 16 * 1024, 1ULL << 30U,
      "Output of one run that may wait for the store; more is counted as dropped."));
  s.push_back(length("executor.overdue_after", AT(node.executor.overdue_after), 1s, 1h,
                     "Beyond its grace, how long a run that was told to stop may take before its attempt is "
                     "ended over its head."));
  s.push_back(whole<std::uint32_t>(
      "executor.restarts", AT(node.executor.restarts.restarts), 0, 1000,
      "An executor that crashes more often than this within restart_window is given up."));
  s.push_back(length("executor.restart_window", AT(node.executor.restarts.window), 1s, 24h,
                     "The time within which restarts are counted."));
  s.push_back(words("executor.cwd", AT(processes.default_cwd), "an absolute path",
                    "Working directory of commands that name none."));
  s.push_back(real("executor.max_process_share", AT(processes.max_process_share), 0.05, 1.0,
                   "No new process at this share of the user's process limit."));
  s.push_back(whole<std::uint32_t>("executor.min_free_processes", AT(processes.min_free_processes), 0,
                                   100'000, "No new process when fewer than this many are free."));

  s.push_back(length("queue.ageing_step", AT(node.board.ageing_step), 0s, 24h * 30,
                     "A run that waits this long is treated as one priority higher, and again after each "
                     "further step; 0 turns it off."));
  s.push_back(whole<std::uint32_t>("queue.quantum", AT(node.board.quantum), 1, 10'000,
                                   "Runs that a lane may take before the next lane's turn."));
  s.push_back(whole<std::uint64_t>(
      "queue.max_queued", AT(node.max_queued), 0, std::numeric_limits<std::int64_t>::max(),
      "Runs that may wait; beyond it submissions are refused as overloaded. 0 for no limit."));
  s.push_back(whole<std::uint32_t>("queue.max_waiting_claims", AT(node.max_waiting_claims), 1, 1'000'000,
                                   "Claims that may wait for work at a time."));

  using core::pressure_mode;
  using core::priority;
  constexpr auto most_runs = std::numeric_limits<std::int64_t>::max();
  s.push_back(whole<std::uint64_t>("backpressure.at", AT(node.backpressure.at), 0, most_runs,
                                   "Queued runs at which an episode begins: submitters are told, status and "
                                   "doctor show it; 0 for never."));
  s.push_back(whole<std::uint64_t>("backpressure.until", AT(node.backpressure.until), 0, most_runs,
                                   "It ends when fewer than this are queued; 0 for four fifths of `at`."));
  s.push_back(
      choice("backpressure.mode", AT(node.backpressure.mode),
             std::array{std::pair{"alert", pressure_mode::alert}, std::pair{"reject", pressure_mode::reject},
                        std::pair{"shed", pressure_mode::shed}},
             "alert: only tells. reject: refuses every submission while it lasts. shed: refuses those "
             "below shed_below."));
  s.push_back(choice("backpressure.shed_below", AT(node.backpressure.shed_below),
                     std::array{std::pair{"urgent", priority::urgent}, std::pair{"high", priority::high},
                                std::pair{"normal", priority::normal}, std::pair{"low", priority::low}},
                     "With shed: submissions of a lower class are refused."));

  s.push_back(
      length("provider.least_delay", AT(node.delays.least), 1ms, 1h,
             "The delay that workers of an agent type are told of after a first limit of its provider, "
             "and the least there is."));
  s.push_back(length("provider.most_delay", AT(node.delays.most), 1ms, 24h,
                     "Each further limit makes it half as long again, up to this."));

  s.push_back(length("session.stale_after", AT(node.liveness.stale_after), 10s, 24h,
                     "Silence after which a worker from outside is stale; half of it makes it suspect."));
  s.push_back(length("session.gone_after", AT(node.liveness.gone_after), 1min, 24h * 30,
                     "Silence after which a stale worker that holds no lease is gone."));
  s.push_back(length("session.progress_within", AT(node.liveness.progress_within), 0s, 24h * 30,
                     "A running run that shows no progress for so long is stalled; 0 to not watch that."));

  s.push_back(length("wake.interval", AT(node.wake.interval), 100ms, 10min,
                     "A cycle runs when something changed, and at least this often; a starved run is counted "
                     "once per interval."));
  s.push_back(length("wake.cooldown", AT(node.wake.cooldown), 0s, 24h,
                     "Least pause between two wakes of one session for one run; 0 turns it off."));
  s.push_back(whole<std::uint32_t>("wake.fan_out_share", AT(node.wake.fan_out_share), 1, 100,
                                   "Per cent of the free sessions of a cycle that starved runs may wake."));
  s.push_back(length("wake.acknowledge_within", AT(node.wakes.acknowledge_within), 1s, 5min,
                     "How long a session has to acknowledge a wake; after that it has failed."));
  s.push_back(truth("wake.commands", AT(node.wakes.commands),
                    "Sessions may name a command that wakes them. Whoever registers one runs commands as the "
                    "user of the node."));
  s.push_back(truth("wake.internal_targets", AT(webhooks.private_targets),
                    "Webhooks may call loopback and private addresses; link-local ones never."));
  s.push_back(whole<std::uint32_t>("wake.max_outstanding", AT(node.wakes.max_outstanding), 1, 1'000'000,
                                   "Wakes that may be under way at a time."));
  s.push_back(whole<std::uint32_t>("wake.max_waiting", AT(node.wakes.max_waiting), 1, 1'000'000,
                                   "Polls and streams that may wait for wakes at a time."));
  s.push_back(whole<std::uint32_t>("wake.max_webhooks", AT(node.wakes.max_webhooks), 1, 100'000,
                                   "Webhooks under way at a time."));
  s.push_back(whole<std::uint32_t>("wake.max_commands", AT(node.wakes.max_commands), 1, 256,
                                   "Commands that wake sessions, under way at a time."));

  s.push_back(length("ladder.minimum_age", AT(node.ladder.minimum_age), 0s, 24h * 30,
                     "A run of whose kind nobody took any for so long is starved; 0 turns the ladder off."));
  s.push_back(whole<std::uint32_t>("ladder.fan_out", AT(node.ladder.fan_out), 1, 1'000'000,
                                   "Count at which all sessions that may take it are woken."));
  s.push_back(whole<std::uint32_t>("ladder.spawn", AT(node.ladder.spawn), 1, 1'000'000,
                                   "Count at which a worker is started for it."));
  s.push_back(whole<std::uint32_t>("ladder.event", AT(node.ladder.event), 1, 1'000'000,
                                   "Count at which the journal says run_starved."));
  s.push_back(whole<std::uint32_t>("ladder.needs_attention", AT(node.ladder.needs_attention), 1, 1'000'000,
                                   "Count at which it leaves the queue and a person is asked."));

  s.push_back(whole<std::uint32_t>("limits.global", AT(node.board.limits.global), 0, 1'000'000,
                                   "Runs under way in the whole node; 0 for no limit. Limits set with "
                                   "`belfry limits set` go before these."));
  s.push_back(whole<std::uint32_t>("limits.per_lane", AT(node.board.limits.per_lane), 0, 1'000'000,
                                   "Runs under way per lane that has a name; 0 for no limit."));
  s.push_back(whole<std::uint32_t>("limits.per_batch", AT(node.board.limits.per_batch), 0, 1'000'000,
                                   "Runs under way per batch; 0 for no limit."));
  s.push_back(whole<std::uint32_t>("limits.per_agent_type", AT(node.board.limits.per_agent_type), 0,
                                   1'000'000, "Runs under way per type of outside worker; 0 for no limit."));
  s.push_back(whole<std::uint32_t>("limits.fires", AT(node.board.limits.fires), 0, 1'000,
                                   "Runs that schedules start in the node within limits.fire_window, later "
                                   "ones wait; 0 for no limit."));
  s.push_back(whole<std::uint32_t>("limits.fires_per_workspace", AT(node.board.limits.fires_per_workspace), 0,
                                   1'000, "The same for each workspace; 0 for no limit."));
  s.push_back(length("limits.fire_window", AT(node.board.limits.fire_window), 1s, 7 * 24h,
                     "The rolling window of both."));
}

void add_claim_hook(std::vector<setting>& s) {
  using core::hook_error;
  using core::hook_scope;
  s.push_back(list("claim_hook.command", AT(node.claim_hook.command),
                   "a list of texts such as [\"/usr/local/bin/may-claim\"]",
                   "A program that is asked before runs are handed to a session: the question on stdin, the "
                   "answer on stdout, in JSON; empty for none."));
  s.push_back(words("claim_hook.url", AT(node.claim_hook.url),
                    "an address such as \"http://127.0.0.1:8080/\"",
                    "Instead of a command: an address that questions are posted to, signed."));
  s.push_back(words(
      "claim_hook.secret_variable", AT(hook_secret_variable), "the name of a variable",
      "With url: the variable of the node's environment that holds the key, whsec_ and 24 to 64 bytes in "
      "base64."));
  s.push_back(length("claim_hook.timeout", AT(node.claim_hook.timeout), 10ms, 30s,
                     "How long the hook may take for one answer."));
  s.push_back(
      choice("claim_hook.on_error", AT(node.claim_hook.on_error),
             std::array{std::pair{"closed", hook_error::closed}, std::pair{"open", hook_error::open}},
             "When the hook is too slow, fails or says what cannot be read: closed hands nothing over "
             "and asks again, open goes on as if it had allowed everything."));
  s.push_back(
      choice("claim_hook.applies_to", AT(node.claim_hook.applies_to),
             std::array{std::pair{"workers", hook_scope::workers}, std::pair{"all", hook_scope::all}},
             "Whose claims it is asked about: those of outside sessions, or of the node's executors too."));
  s.push_back(list("claim_hook.agent_types", AT(node.claim_hook.agent_types), "a list of agent types",
                   "Only claims of these agent types; empty for all."));
  s.push_back(list("claim_hook.jobs", AT(node.claim_hook.jobs), "a list of ids or names of jobs",
                   "Only runs of these jobs; empty for all runs."));
  s.push_back(list("claim_hook.handlers", AT(node.claim_hook.handlers), "a list of handlers",
                   "Only runs of these handlers (`belfry handler list`); empty for all."));
  s.push_back(whole<std::uint32_t>("claim_hook.concurrency", AT(node.claim_hook.concurrency), 1, 256,
                                   "Questions under way at a time; further claims wait."));
  s.push_back(whole<std::uint32_t>("claim_hook.candidates", AT(node.claim_hook.candidates), 1, 100,
                                   "Runs that one question is about; more when the claim asks for more."));
  s.push_back(length("claim_hook.retry_after", AT(node.claim_hook.retry_after), 100ms, 10min,
                     "How long a refusal holds for the same session and run, before it is asked again."));
}

void add_operators(std::vector<setting>& s) {
  using core::agent_force;
  s.push_back(whole<std::uint32_t>(
      "operator.agents_per_minute", AT(node.operators.agents_per_minute), 0, 100'000,
      "Operator actions (cancel, retry, force …) of one agent on one run within a minute; 0 for no limit."));
  s.push_back(choice("operator.agents_force", AT(node.operators.agents_force),
                     std::array{std::pair{"none", agent_force::none}, std::pair{"own", agent_force::own},
                                std::pair{"any", agent_force::any}},
                     "Runs on which an agent may use force (force-release, force-fail, recover): none, its "
                     "own (that it holds or submitted), or any."));
}

// A declared token is a hash: whoever reads the configuration cannot use it.
setting access_tokens() {
  const std::string allowed = "a list of \"NAME ROLE SHA256\"";
  return {
      "access.tokens",
      "Access tokens, as `belfry access create` prints them: who has it, read, work, operate or admin, and "
      "its hash.",
      allowed,
      [](const configuration& c) {
        std::string out;
        for (const auto& each : c.http.access.tokens)
          out += (out.empty() ? "" : ", ") + toml_text(core::to_text(each));
        return "[" + out + "]";
      },
      [allowed](configuration& c, const given_value& v, bool as_text) -> std::optional<std::string> {
        std::vector<std::string> lines;
        const auto* text = std::get_if<std::string>(&v);
        if (const auto* many = std::get_if<std::vector<std::string>>(&v)) {
          lines = *many;
        } else if (text != nullptr && as_text) {
          std::istringstream in(*text);
          for (std::string part; std::getline(in, part, ',');)
            if (!part.empty()) lines.push_back(part);
        } else {
          return must_be(allowed, v);
        }
        c.http.access.tokens.clear();
        for (const auto& line : lines) {
          auto t = core::parse_access_token(line);
          if (!t) return t.error().text + "; " + t.error().command + " prints one";
          c.http.access.tokens.push_back(std::move(*t));
        }
        return std::nullopt;
      }};
}

void add_cluster(std::vector<setting>& s) {
  s.push_back(words("cluster.certificates", AT(cluster.certificates), "a folder",
                    "Folder with node.crt, node.key and authority.crt (`belfry cluster issue` makes it); the "
                    "name of the node stands in its certificate. Empty: the node is alone."));
  s.push_back(words("cluster.listen", AT(cluster.listen), "HOST:PORT",
                    "Where a coordinator takes its members. Only the bearer of a certificate of its "
                    "authority gets in."));
  s.push_back(list("cluster.join", AT(cluster.join), "a list of HOST:PORT, at most 16",
                   "Addresses of the coordinator, tried in turn: this node is a member, without a store of "
                   "its own."));
  s.push_back(list("cluster.labels", AT(cluster.labels), "a list of words such as \"disk=ssd\", at most 32",
                   "What is told of this member; runs may ask for it as a capability."));
  s.push_back(list("cluster.capabilities", AT(cluster.capabilities), "a list of words, at most 32",
                   "Further capabilities of the executors of this member."));
  s.push_back(length("cluster.beat", AT(node.cluster.membership.beat), 50ms, 10s,
                     "How often the nodes say to each other that they live."));
  s.push_back(length("cluster.suspect_after", AT(node.cluster.membership.suspect_after), 200ms, 10min,
                     "Silence after which a node is suspect, at least four beats; nothing is done to it."));
  s.push_back(length("cluster.lost_after", AT(node.cluster.membership.lost_after), 300ms, 1h,
                     "Silence after which it is lost. Its leases still run out by themselves."));
}

void add_access(std::vector<setting>& s) {
  using core::role;
  using may = std::optional<role>;
  s.push_back(access_tokens());
  s.push_back(
      choice("access.without_token", AT(http.access.without_token),
             std::array{std::pair{"auto", may{}}, std::pair{"none", may{role::none}},
                        std::pair{"read", may{role::read}}, std::pair{"work", may{role::work}},
                        std::pair{"operate", may{role::operate}}, std::pair{"admin", may{role::admin}}},
             "What is allowed over TCP without an access token; auto: everything while none is "
             "declared, else nothing. The unix socket is the user's own."));
}

void add_upkeep(std::vector<setting>& s) {
  constexpr auto years = 24h * 3660;
  s.push_back(length("retention.keep", AT(node.retention.keep), 0s, years,
                     "How long a finished run is kept; 0 for ever."));
  s.push_back(length("retention.keep_dead", AT(node.retention.keep_dead), 0s, years,
                     "How long a dead letter is kept that nobody has retried or discarded."));
  s.push_back(whole<std::uint32_t>("retention.keep_per_job", AT(node.retention.keep_per_job), 1, 1'000'000,
                                   "Finished runs kept per job, the newest."));
  s.push_back(length("retention.keep_events", AT(node.retention.keep_events), 1min, years,
                     "How long events are kept."));
  s.push_back(length("retention.keep_keys", AT(node.retention.keep_keys), 1min, years,
                     "How long an idempotency key is remembered."));
  s.push_back(length("retention.every", AT(node.retention.every), 0s, 24h * 7,
                     "Pause between two sweeps; 0 for no retention at all."));
  s.push_back(whole<std::uint32_t>("retention.bite", AT(node.retention.bite), 1, 10'000,
                                   "Runs removed by one change, so that others come between."));

  s.push_back(length("alarms.dead_letter_age", AT(node.alarms.dead_letter_age), 0s, years,
                     "Age at which a dead letter that nobody retried or discarded is told of, once; 0 for "
                     "never."));
  s.push_back(
      choice("log.level", AT(log.level),
             std::array{std::pair{"debug", log_level::debug}, std::pair{"info", log_level::info},
                        std::pair{"warning", log_level::warning}, std::pair{"error", log_level::error}},
             "The least important lines that are written."));
  s.push_back(choice("log.format", AT(log.format),
                     std::array{std::pair{"auto", log_format::automatic},
                                std::pair{"human", log_format::human}, std::pair{"json", log_format::json}},
                     "human for people, json for machines, auto for what stderr is."));
}

#undef AT

}  // namespace

const std::vector<setting>& all_settings() {
  static const std::vector<setting> all = [] {
    std::vector<setting> s;
    add_places(s);
    add_store(s);
    add_work(s);
    add_access(s);
    add_claim_hook(s);
    add_operators(s);
    add_cluster(s);
    add_upkeep(s);
    return s;
  }();
  return all;
}

const setting* find_setting(std::string_view key) {
  for (const auto& each : all_settings())
    if (each.key == key) return &each;
  return nullptr;
}

std::string area_of(std::string_view key) { return std::string(key.substr(0, key.find('.'))); }

std::string area_sentence(std::string_view area) {
  struct row {
    std::string_view area, says;
  };
  constexpr auto rows =
      std::to_array<row>({{"node", "The node itself."},
                          {"http", "The door: who may knock, and how much at a time."},
                          {"store", "Where everything is kept."},
                          {"executor", "The node's own hands: the processes that it runs."},
                          {"queue", "The order of waiting runs."},
                          {"backpressure", "What happens when too much is queued."},
                          {"provider", "What the limits of providers teach."},
                          {"session", "When workers from outside are thought to be gone."},
                          {"wake", "Who is told that work awaits, how, and how often."},
                          {"ladder", "What happens to runs that nobody takes."},
                          {"limits", "How much may be under way at a time."},
                          {"claim_hook", "Who is asked before a session is given runs."},
                          {"access", "Who may do what: roles, and the tokens that stand for them."},
                          {"operator", "What agents may do to runs."},
                          {"cluster", "The other nodes: none, its members, or its coordinator."},
                          {"retention", "How long history is kept."},
                          {"alarms", "What somebody is told of when it waits too long."},
                          {"log", "The lines on stderr."}});
  for (const auto& each : rows)
    if (each.area == area) return std::string(each.says);
  return {};
}

std::string variable_of(const std::string& key) {
  std::string out = "BELFRY_";
  for (const char c : key) {
    if (c == '.')
      out += "__";
    else
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    constexpr std::string_view hex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (byte < 0x20 || byte == 0x7F)
      out += std::string("\\u00") + hex[byte >> 4U] + hex[byte & 15U];
    else
      out += c;
  }
  return out + "\"";
}

}  // namespace belfry::app
