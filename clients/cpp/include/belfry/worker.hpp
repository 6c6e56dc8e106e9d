// The worker loop: register, claim, hand to the handler, keep the lease, report.
//
//   belfry::client node{{}};
//   belfry::worker w{node, [](belfry::attempt& a) -> belfry::json { return {{"got", a.payload()}}; }, {}};
//   w.run({SIGTERM, SIGINT});
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/client.hpp"

namespace belfry {

/// Throw it in a handler that was told to stop and did: the run is handed back, or ends cancelled if that was
/// asked.
class cancelled : public error {
 public:
  using error::error;
};

/// The attempt failed. Any other exception means the same with class `error`.
class failed : public error {
 public:
  explicit failed(const std::string& message, std::string failure_class = "error",
                  std::optional<span> after = {})
      : error(message), klass(std::move(failure_class)), retry_after(after) {}
  std::string klass;  // error, permanent, timeout, resource, rate_limited
  std::optional<span> retry_after;
};

/// Hand the run back without using up an attempt, optionally not before `delay`.
class released : public error {
 public:
  explicit released(const std::string& message = {}, std::optional<span> not_before = {})
      : error(message), delay(not_before) {}
  std::optional<span> delay;
};

/// Put the run aside for a time, because something named is not available. Uses up no attempt.
class parked : public error {
 public:
  explicit parked(span how_long, const std::string& message = {}, std::string what = {})
      : error(message), time(how_long), resource(std::move(what)) {}
  span time;
  std::string resource;
};

namespace detail {
struct held;
class engine;
}  // namespace detail

/// One try of a run, as its handler sees it. Its members may be called from any thread while the handler
/// runs.
class attempt {
 public:
  explicit attempt(std::shared_ptr<detail::held> h) : held_(std::move(h)) {}

  /// `ClaimedRun` of the OpenAPI document, without the token.
  const json& claim() const;
  const std::string& run_id() const;
  const json& payload() const;
  int number() const;
  /// Grows with each claim of the run; outside systems can refuse what carries a smaller one.
  std::int64_t fencing() const;
  /// What an earlier attempt saved last, or null.
  json checkpoint() const;
  /// How earlier attempts ended, oldest first.
  json previous() const;

  /// The work should stop.
  bool is_cancelled() const;
  /// Waits for that, at most so long; true when it came.
  bool wait_cancelled(span at_most) const;
  /// Calls `f` when it comes, from another thread, or at once if it has come. The last one given counts.
  void on_cancel(std::function<void()> f);
  /// Empty, or: `cancel` (somebody asked for it), `lease_lost` (the node gave the run away), `lease_expired`
  /// (the node could not be reached for the length of the lease, so somebody else may have the run), `stop`
  /// (this worker stops).
  std::string cancel_reason() const;
  /// Throws belfry::cancelled if the work should stop.
  void stop_if_cancelled() const;

  /// 0 to 1, and in plain words. Returns at once; the newest is sent.
  void progress(double value, std::string_view text = {});
  /// One or more lines of the run's log; `stream` is `stdout` or `stderr`, `level` is `debug`, `info`,
  /// `warn`, `error` or nothing. Returns at once.
  void log(std::string_view text, std::string_view stream = "stdout", std::string_view level = {});
  /// Stores JSON of at most 64 KiB for the next attempt. On the node's disk when it returns; throws
  /// belfry::cancelled when the lease is lost before that.
  void save_checkpoint(const json& value);

 private:
  std::shared_ptr<detail::held> held_;
};

/// What became of the end of one attempt.
struct report {
  std::string run_id;
  int attempt = 0;
  std::string said;       // complete, fail, release or park
  bool accepted = false;  // the node recorded it; with code `stale_lease` it is kept as evidence only
  std::string state;      // of the run after it; empty when it was not accepted
  std::string code;       // of the refusal; empty when accepted, or when the node could not be reached
  std::string text;       // of the error
};

/// A worker that the node has started for an agent type comes back as the session that BELFRY_SESSION names,
/// and takes agent_type, workspace, channel, capabilities and slots from its environment where they are not
/// given here.
struct worker_options {
  std::string name{};        // default: host and process id
  std::string agent_type{};  // default: cpp
  std::string workspace{};
  std::string channel{};
  std::vector<std::string> capabilities{};
  /// Runs at a time, each on a thread of its own. 0: the default, 1.
  unsigned slots = 0;
  /// A JSON object of at most 16 KiB, for people and tools; null: none.
  json metadata{};
  /// Only runs of this priority or a more urgent one; empty: any.
  std::string at_least{};
  /// Length of the leases. Default 60 s.
  span lease{60'000};
  /// Between two heartbeats of a lease. Default a third of the lease, at most 10 s.
  span heartbeat{0};
  /// Length of a long poll, at most 60 s. Default 30 s.
  span wait{30'000};
  /// How long handlers may go on after a stop before they are cancelled. Default 60 s.
  span drain_timeout{60'000};
  /// How long an end is sent again while the node cannot be reached. Default 10 min.
  span report_for{600'000};
  /// Told of every end.
  std::function<void(const report&)> reported{};
  /// Told what a person may want to know: key first, then fields. Default: lines on stderr.
  std::function<void(const std::string&)> log{};
};

class worker {
 public:
  /// What the handler returns is the result; null means none. The client must outlive the worker.
  using handler = std::function<json(attempt&)>;

  worker(client& node, handler h, worker_options options);
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// Works until `stop`, one of the signals `stop_on` (of one worker per process), or a drain asked for at
  /// the node. The first stop drains: nothing new is claimed, handlers go on for `drain_timeout`. The second
  /// cancels them. Returns when every handler has returned. Throws what the node refused for good, such as a
  /// registration with a mistake in it. To be called once.
  void run(std::initializer_list<int> stop_on = {});
  /// From any thread or signal handler. Once: drain. Twice: at once.
  void stop() noexcept;

 private:
  std::shared_ptr<detail::engine> engine_;
};

}  // namespace belfry
