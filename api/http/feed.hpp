// FEED: a server-sent stream that is pulled. It reads the next page behind its own position when it hears
// that there is more, and only when the last write has gone out: a slow reader costs one page of memory, then
// its write times out.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/http/door.hpp"
#include "api/http/exchange.hpp"

namespace belfry::api {

class feed : public std::enable_shared_from_this<feed> {
 public:
  explicit feed(std::shared_ptr<exchange> x) : x_(std::move(x)) {}
  virtual ~feed() = default;
  feed(const feed&) = delete;
  feed& operator=(const feed&) = delete;

  // Refuses the request when there are too many streams, else answers with the head of the stream and looks.
  // On the strand.
  void open();
  // There may be more. From any thread, any number of times.
  void poke();

 protected:
  // Asks the node for what comes next and ends with exactly one of say, rest, retry, finish. On the strand.
  virtual void look() = 0;
  virtual void begin() {}                 // once, when the stream is open: watches are made here
  virtual void closed() {}                // the client has gone, or finish was called
  void say(std::string text, bool more);  // writes; looks again when there is more, or when poked meanwhile
  void rest();                            // nothing new: until the next poke or keep-alive
  void retry();                           // the node could not answer: look again in a moment
  void finish(std::string text);
  exchange& x() const { return *x_; }
  const std::shared_ptr<exchange>& shared_x() const { return x_; }
  bool over() const { return over_; }

  static void append(std::string& out, std::string_view id, std::string_view event, std::string_view data);

 private:
  void start_looking();
  void tick();
  void arm(core::span delay);
  void end();
  void wrote(bool ok, bool more);

  std::shared_ptr<exchange> x_;
  std::shared_ptr<stream> out_;
  std::optional<counted> counted_;
  std::atomic<bool> poked_{false};
  bool busy_ = false;  // a question or a write is under way
  bool again_ = false;
  bool over_ = false;
};

}  // namespace belfry::api
