// SSE: the reading side of server-sent events.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace belfry::app {

struct sse_event {
  std::string id;    // of this event; empty when it has none
  std::string name;  // "message" when it has none
  std::string data;
};

// Bytes in any pieces in, whole events out. `on` says no to stop.
class sse_reader {
 public:
  explicit sse_reader(std::function<bool(const sse_event&)> on) : on_(std::move(on)) {}
  bool feed(std::string_view bytes);
  const std::string& last_id() const { return last_id_; }  // for Last-Event-ID

 private:
  bool line(std::string_view text);
  std::function<bool(const sse_event&)> on_;
  std::string partial_, last_id_;
  sse_event now_;
  bool has_data_ = false;
};

}  // namespace belfry::app
