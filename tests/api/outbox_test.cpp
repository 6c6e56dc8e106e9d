// The order of answers, without sockets.
#include <catch2/catch.hpp>

#include "api/http/outbox.hpp"

namespace belfry::api {
namespace {

std::string written(outbox& box, bool* close = nullptr) {
  std::vector<std::string_view> bytes;
  std::string all;
  while (box.next(bytes)) {
    for (const auto b : bytes) all += b;
    const bool end = box.wrote();
    if (close != nullptr) *close = *close || end;
  }
  return all;
}

}  // namespace

TEST_CASE("outbox: late answers hold back the early ones", "[api][outbox]") {
  outbox box;
  const auto a = box.reserve();
  const auto b = box.reserve();
  const auto c = box.reserve();
  box.answer(c, "C", "c", false);
  box.answer(b, "B", "b", false);
  CHECK(written(box).empty());
  CHECK(box.ready_bytes() == 4);
  box.answer(a, "A", "a", false);
  box.answer(a, "again", "", false);
  CHECK(written(box) == "AaBbCc");
  CHECK(box.waiting() == 0);
  CHECK(box.ready_bytes() == 0);
}

TEST_CASE("outbox: a stream goes out in chunks, and what follows waits for its end", "[api][outbox]") {
  outbox box;
  const auto s = box.reserve();
  const auto next = box.reserve();
  int told = 0;
  box.answer(next, "N", "", false);
  box.begin_stream(s, "HEAD", true);
  box.stream_write(s, "hello", [&](bool ok) { told += ok ? 1 : 100; });
  CHECK(written(box) == "HEAD5\r\nhello\r\n");
  CHECK(told == 1);
  CHECK(box.streaming());
  box.stream_finish(s, false);
  CHECK_FALSE(box.streaming());
  CHECK(written(box) == "0\r\n\r\nN");
  CHECK(box.waiting() == 0);
}

TEST_CASE("outbox: what is written while bytes are under way waits its turn", "[api][outbox]") {
  outbox box;
  const auto s = box.reserve();
  box.begin_stream(s, "HEAD", false);
  std::vector<std::string_view> bytes;
  REQUIRE(box.next(bytes));
  box.stream_write(s, "x", {});
  CHECK(bytes.front() == "HEAD");
  CHECK_FALSE(box.wrote());
  box.stream_finish(s, false);
  bool close = false;
  CHECK(written(box, &close) == "x");
  CHECK(close);  // without chunks the end of the connection is the end of the stream
}

TEST_CASE("outbox: an answer that closes ends the line", "[api][outbox]") {
  outbox box;
  const auto a = box.reserve();
  const auto b = box.reserve();
  box.answer(a, "A", "", true);
  box.answer(b, "B", "", false);
  std::vector<std::string_view> bytes;
  REQUIRE(box.next(bytes));
  CHECK(bytes.size() == 1);
  CHECK(box.wrote());
}

TEST_CASE("outbox: who waits for a write hears that the line is dead", "[api][outbox]") {
  outbox box;
  const auto s = box.reserve();
  bool ok = true;
  box.begin_stream(s, "H", true);
  box.stream_write(s, "x", [&](bool o) { ok = o; });
  box.drop();
  CHECK_FALSE(ok);
  ok = true;
  box.stream_write(s, "y", [&](bool o) { ok = o; });
  CHECK_FALSE(ok);
  CHECK(box.waiting() == 0);
}

}  // namespace belfry::api
