// OUTBOX: the answers of one connection, in the order of their requests, however late each of them comes.
// Knows nothing of sockets: it says which bytes are next, and is told when they are out.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::api {

class outbox {
 public:
  // A place for the answer of the next request.
  std::uint64_t reserve();
  void answer(std::uint64_t id, std::string head, std::string body, bool close);
  void begin_stream(std::uint64_t id, std::string head, bool chunked);
  // One chunk at a time: the next one after `written` was called.
  void stream_write(std::uint64_t id, std::string bytes, std::function<void(bool)> written);
  void stream_finish(std::uint64_t id, bool close);
  bool stream_open(std::uint64_t id) const;

  // Takes what can be written now, in order. Answers whether there is anything, or just an end without bytes;
  // the views stay valid until `wrote`.
  bool next(std::vector<std::string_view>& bytes);
  // What next() gave is out. Answers whether the connection ends with it; then calls `written` of the chunks.
  bool wrote();
  // The connection is gone: every waiting `written` hears of it.
  void drop();

  std::size_t waiting() const { return slots_.size(); }
  std::size_t ready_bytes() const { return ready_bytes_; }
  bool streaming() const { return streaming_ > 0; }

 private:
  struct slot {
    std::string head, body;             // of an answer; of a stream, head is what is being written
    std::string late;                   // of a stream: what is written next
    std::function<void(bool)> written;  // belongs to `late`
    std::function<void(bool)> flying;   // belongs to `head`
    bool stream = false;
    bool done = false;  // nothing comes behind what is here
    bool last = false;  // what is being written is the end of it
    bool chunked = false;
    bool close = false;
  };
  slot* find(std::uint64_t id);

  std::deque<slot> slots_;
  std::uint64_t first_ = 0;      // id of the front
  std::size_t flying_ = 0;       // slots at the front whose bytes are being written
  std::size_t ready_bytes_ = 0;  // of answers that wait
  std::size_t streaming_ = 0;
};

}  // namespace belfry::api
