// Submissions that could not reach the node, kept on disk until they can.
//
// One file per submission, named by a number that only grows; written under another name, synced and renamed,
// so that a crash leaves a whole entry or none. The request is kept as the bytes that were sent, with its
// Idempotency-Key: sent again, it is the same submission for the node. The node remembers a key for 24 h, so
// an entry that it may have seen longer ago than `resend_within` is set aside instead: it could become a
// second run.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "transport.hpp"

namespace belfry::detail {

class spool {
 public:
  explicit spool(spool_options options);
  ~spool();
  spool(const spool&) = delete;
  spool& operator=(const spool&) = delete;

  std::size_t pending() const;
  std::vector<json> set_aside() const;
  /// Durable when it returns; spool_full when there is no room.
  void append(const std::string& path, const std::string& body, const std::string& key, bool maybe_sent);
  /// Sends what waits, in order, until it is empty; throws what stopped it.
  void deliver(transport& to);

 private:
  using sizes = std::map<std::string, std::size_t>;  // by name, so in order
  void deliver_one(transport& to, const std::string& name);
  void set_aside(const std::string& name, json entry, json problem);

  spool_options options_;
  std::filesystem::path aside_;
  int lock_ = -1;
  mutable std::mutex mutex_;
  sizes waiting_;
  sizes refused_;
  std::uint64_t next_ = 1;
};

}  // namespace belfry::detail
