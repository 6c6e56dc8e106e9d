// Submit runs to a belfry node and look at them.
//
//   belfry::client node{{.url = "http://127.0.0.1:7420"}};
//   auto taken = node.submit({{"name", "greet"}, {"payload", {{"who", "world"}}}});
//
// Durations are std::chrono. Every call throws belfry::refused when the node says no and belfry::unreachable
// when there is no answer within the time of `retry`. A client may be used from several threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/errors.hpp"

namespace belfry {

using nlohmann::json;
using span = std::chrono::milliseconds;

/// How the same request is sent again: exponential backoff with jitter; Retry-After of the node is the least
/// wait.
struct retry_options {
  /// Before the second try; doubles with each further one. Default 200 ms.
  span base{200};
  /// Longest wait. Default 10 s.
  span cap{10'000};
  /// After so long the last error is thrown. Default 30 s; 0 tries once.
  span give_up_after{30'000};
};

/// Submissions that cannot reach the node are kept in a directory and delivered later, in order, without
/// duplicates.
struct spool_options {
  /// Belongs to one process at a time. Made when it is not there.
  std::filesystem::path directory;
  /// Most entries, those set aside included. Default 10,000.
  std::size_t max_entries = 10'000;
  /// Most bytes of all entries. Default 64 MiB.
  std::size_t max_bytes = std::size_t{64} * 1024 * 1024;
  /// How long after it was first sent an entry may be sent again. Default 23 h: the node forgets keys after
  /// 24 h.
  span resend_within = std::chrono::hours{23};
};

struct client_options {
  std::string url = "http://127.0.0.1:7420";
  /// Sent with every request, such as "Authorization: Bearer …".
  std::vector<std::string> headers{};
  /// Of one exchange. Default 30 s.
  span timeout{30'000};
  retry_options retry{};
  /// Absent: a submission that cannot reach the node is an error.
  std::optional<spool_options> spool{};
  /// With a spool: how long a submission is tried before it is kept. Default 2 s.
  span spool_after{2'000};
};

struct submission {
  /// The Idempotency-Key. Submitted again with it, the same content is the same run.
  std::string key;
  /// SubmittedRun or SubmittedBatch of the OpenAPI document; null while it waits in the spool.
  json answer;
  /// The node had taken it before: an answer was lost on the way.
  bool replayed = false;

  bool spooled() const { return answer.is_null(); }
  /// The id of the run, or of the batch. Throws belfry::error while it waits in the spool.
  std::string id() const;
};

namespace detail {
class transport;
class spool;
}  // namespace detail

class client {
 public:
  explicit client(client_options options);
  /// What is in the spool stays there for the next process.
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Hands in one run, in the shape of `Submission` of the OpenAPI document. Durable when it returns: with
  /// the node, or, if there is one, in the spool. One call is one logical submission: it is sent with the
  /// same Idempotency-Key until the node has answered. Give `key` to make it the same across calls and
  /// processes, within 24 h.
  submission submit(const json& run, std::string_view key = {});
  /// Up to 1,000 runs, all or none.
  submission submit_many(const json& runs, std::string_view key = {});
  json get_run(std::string_view run_id);
  json cancel_run(std::string_view run_id, std::string_view reason = {});
  /// New tokens for the runs that a session holds, all of them or `runs`, for a worker that came back under
  /// its id without them. In the shape of a claim; whoever still has an old token is refused as stale from
  /// now on.
  json reissue_leases(std::string_view session_id, const std::vector<std::string>& runs = {});
  /// The wakes that a session has not acknowledged, those behind `after` if that is given; waits up to `wait`
  /// (at most 60 s) for one. Advice only: a worker, which waits in its claims, needs none.
  std::vector<json> wait_for_wakes(std::string_view session, span wait, std::string_view after = {});
  /// Says that up to 1,000 wakes were heard; a result for each, in order. Again is fine.
  std::vector<json> acknowledge_wakes(std::string_view session, const std::vector<std::string>& wakes);
  /// The run when it has ended; belfry::error when it has not within `at_most`.
  json wait_for(std::string_view run_id, span at_most);

  /// Entries that wait for delivery.
  std::size_t spooled() const;
  /// Entries that the node refused or that are too old to be sent again, each with its `problem`. They count
  /// against the bounds until their files, in `refused/`, are deleted.
  std::vector<json> spool_refused() const;
  /// Waits until the spool is empty; false when it is not within `at_most`.
  bool flush(span at_most);

  /// For belfry::worker.
  const std::shared_ptr<detail::transport>& transport() const { return transport_; }

 private:
  class courier;
  submission submit_to(const char* path, const json& body, std::string_view key);

  client_options options_;
  std::shared_ptr<detail::transport> transport_;
  std::unique_ptr<detail::spool> spool_;
  std::unique_ptr<courier> courier_;
};

}  // namespace belfry
