// What is carried: all of it, in order, both ways, and no more than fits.
#include <poll.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <thread>

#include "platform/ports/files.hpp"
#include "tests/platform/links_support.hpp"

using namespace belfry;
using namespace belfry::links_test;

namespace {

constexpr std::size_t mebi = 1U << 20U;

// A stream that differs at every place and between seeds.
class pattern {
 public:
  explicit pattern(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  std::string next(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i + 8 <= size; i += 8) {
      state_ ^= state_ << 13U;
      state_ ^= state_ >> 7U;
      state_ ^= state_ << 17U;
      for (std::size_t b = 0; b < 8; ++b) text[i + b] = static_cast<char>(state_ >> (8 * b));
    }
    return text;
  }

 private:
  std::uint64_t state_;
};

void send_all(int fd, std::uint64_t seed, std::size_t total, bool& fine) {
  pattern p(seed);
  fine = true;
  for (std::size_t sent = 0; fine && sent < total; sent += mebi) fine = write_all(fd, p.next(mebi));
  ::shutdown(fd, SHUT_WR);
}

void receive_all(int fd, std::uint64_t seed, std::size_t total, bool& fine) {
  pattern p(seed);
  fine = true;
  for (std::size_t got = 0; fine && got < total; got += mebi)
    fine = read_exactly(fd, mebi, 60s) == p.next(mebi);
  fine = fine && ends(fd);
}

struct two {
  explicit two(core::span write_time = 10s,
               std::function<std::unique_ptr<platform::link_filter>()> filter = {},
               std::uint64_t key_after = 1ULL << 22U)
      : host([&] {
          auto o = options_of(t.of("north"));
          o.write_time = write_time;
          o.filter = std::move(filter);
          o.key_after = key_after;
          return o;
        }()),
        guest(std::move(*platform::open_secure_links(options_of(t.of("south"))))) {}
  town t;
  door host;
  std::unique_ptr<platform::secure_links> guest;
};

// Frames of four bytes of length and that much text; nothing longer than a mebibyte.
class frames final : public platform::link_filter {
 public:
  bool pass(std::string_view piece) override {
    for (const char c : piece) {
      if (skip_ > 0) {
        --skip_;
        continue;
      }
      length_ = (length_ << 8U) | static_cast<unsigned char>(c);
      if (++have_ < 4) continue;
      if (length_ > mebi) return false;
      skip_ = length_;
      length_ = 0;
      have_ = 0;
    }
    return true;
  }

 private:
  std::size_t skip_ = 0, length_ = 0;
  int have_ = 0;
};

}  // namespace

TEST_CASE("pump: 64 MiB each way at the same time arrive whole and in order", "[platform][links]") {
  two w;
  auto ends_of = connect(*w.guest, w.host);
  const std::size_t total = 64 * mebi;
  bool sent_a = false, sent_b = false, got_a = false, got_b = false;
  std::thread a([&] { send_all(ends_of.here.get(), 1, total, sent_a); });
  std::thread b([&] { send_all(ends_of.there.get(), 2, total, sent_b); });
  std::thread c([&] { receive_all(ends_of.there.get(), 1, total, got_a); });
  receive_all(ends_of.here.get(), 2, total, got_b);
  a.join();
  b.join();
  c.join();
  CHECK(sent_a);
  CHECK(sent_b);
  CHECK(got_a);
  CHECK(got_b);
  // Both have said that they are done: the links are over by themselves.
  CHECK(becomes_true([&] { return w.host.links()->seen().links == 0 && w.guest->seen().links == 0; }));
}

TEST_CASE("pump: pieces of every size come through as they were sent", "[platform][links]") {
  two w;
  auto e = connect(*w.guest, w.host);
  pattern p(7);
  for (std::size_t size = 1; size < 300'000; size = size * 3 + 5) {
    const auto text = p.next(size);
    REQUIRE(write_all(e.here.get(), text));
    const auto back = read_exactly(e.there.get(), size);
    REQUIRE(back == text);
    REQUIRE(write_all(e.there.get(), back));
    REQUIRE(read_exactly(e.here.get(), size) == text);
  }
}

TEST_CASE("pump: nothing is lost when keys are renewed, however often", "[platform][links]") {
  two w(10s, {}, 3);
  auto e = connect(*w.guest, w.host);
  const std::size_t total = 8 * mebi;  // some 170 keys
  bool sent_a = false, sent_b = false, got_a = false, got_b = false;
  std::thread a([&] { send_all(e.here.get(), 1, total, sent_a); });
  std::thread b([&] { send_all(e.there.get(), 2, total, sent_b); });
  std::thread c([&] { receive_all(e.there.get(), 1, total, got_a); });
  receive_all(e.here.get(), 2, total, got_b);
  for (auto* each : {&a, &b, &c}) each->join();
  CHECK(sent_a);
  CHECK(sent_b);
  CHECK(got_a);
  CHECK(got_b);
}

TEST_CASE("pump: the end of one direction is passed on and the other goes on", "[platform][links]") {
  two w;
  auto e = connect(*w.guest, w.host);
  REQUIRE(write_all(e.here.get(), "question"));
  ::shutdown(e.here.get(), SHUT_WR);
  CHECK(read_exactly(e.there.get(), 100) == "question");  // and then its end
  REQUIRE(write_all(e.there.get(), "answer"));
  CHECK(read_exactly(e.here.get(), 6) == "answer");
  CHECK(w.host.links()->seen().links == 1);
  e.there.reset();
  CHECK(ends(e.here.get()));
  e.here.reset();
  CHECK(becomes_true([&] { return w.host.links()->seen().links == 0 && w.guest->seen().links == 0; }));
}

TEST_CASE("pump: what was written before the close is delivered, whatever the other side sends",
          "[platform][links]") {
  two w;
  for (int i = 0; i < 20; ++i) {
    auto e = connect(*w.guest, w.host);
    REQUIRE(write_all(e.here.get(), std::string(50'000, 'n')));  // nobody reads it
    const std::string last(150'000, 'x');
    REQUIRE(write_all(e.there.get(), last));
    e.there.reset();
    CHECK(read_exactly(e.here.get(), last.size()) == last);
    CHECK(ends(e.here.get()));
  }
  CHECK(becomes_true([&] { return w.host.links()->seen().links == 0 && w.guest->seen().links == 0; }));
}

TEST_CASE("pump: a lost connection ends both ends", "[platform][links]") {
  two w;
  auto e = connect(*w.guest, w.host);
  w.guest.reset();  // closes everything
  CHECK(ends(e.there.get()));
  CHECK_FALSE(write_all(e.there.get(), "x"));
  CHECK(ends(e.here.get()));
  CHECK(becomes_true([&] { return w.host.links()->seen().links == 0; }));
}

TEST_CASE("pump: what is not read is not fetched, and comes whole later", "[platform][links]") {
  two w(60s);
  auto e = connect(*w.guest, w.host);
  const auto before = platform::resident_memory();
  // As much as goes in while nobody reads at the other end.
  pattern p(3);
  std::vector<std::string> sent;
  std::size_t total = 0;
  for (;;) {
    auto piece = p.next(32 * 1024);
    const ssize_t n = ::send(e.here.get(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      pollfd out{e.here.get(), POLLOUT, 0};
      if (::poll(&out, 1, 300) == 0) break;
      p = pattern(1000 + sent.size());
      continue;
    }
    total += static_cast<std::size_t>(n);
    sent.push_back(piece.substr(0, static_cast<std::size_t>(n)));
    REQUIRE(total < 64 * mebi);
  }
  INFO("taken " << total);
  CHECK(total < 24 * mebi);  // what the kernel holds on the way
  CHECK((!memory_tells() || platform::resident_memory() < before + total + 4 * mebi));
  for (const auto& each : sent) REQUIRE(read_exactly(e.there.get(), each.size()) == each);
}

TEST_CASE("pump: a peer that takes nothing is cut off in time and costs no memory", "[platform][links]") {
  two w(500ms);
  tls_stranger mute(w.host.port(), {w.t.of("south")});
  REQUIRE(mute.let_in());
  auto there = w.host.next();
  REQUIRE(there);
  const auto before = platform::resident_memory();
  const std::string piece(64 * 1024, 'x');
  std::size_t total = 0;
  const auto begun = std::chrono::steady_clock::now();
  while (write_all(there->local.get(), piece)) {
    total += piece.size();
    REQUIRE(total < 64 * mebi);
  }
  CHECK(std::chrono::steady_clock::now() - begun < 5s);
  CHECK((!memory_tells() || platform::resident_memory() < before + 2 * mebi));
  CHECK(becomes_true([&] { return w.host.links()->seen().links == 0; }));
  CHECK(becomes_true([&] { return w.host.said_word("takes nothing"); }));
  CHECK(dial(*w.guest, w.host.address).ok());
}

TEST_CASE("pump: one who takes a little at a time is not cut off", "[platform][links]") {
  two w(300ms);
  tls_stranger slow(w.host.port(), {w.t.of("south")});
  auto there = w.host.next();
  REQUIRE(there);
  const std::size_t total = 24 * mebi;
  bool sent = false;
  std::thread writer([&] { send_all(there->local.get(), 5, total, sent); });
  std::vector<char> part(mebi);
  std::size_t got = 0;
  while (got < total) {
    if (got % (4 * mebi) < 16 * 1024) std::this_thread::sleep_for(100ms);
    const int n = SSL_read(slow.tls(), part.data(), static_cast<int>(part.size()));
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  writer.join();
  CHECK(sent);
  CHECK(got == total);
}

TEST_CASE("pump: a filter cuts the link before what it refuses gets through", "[platform][links]") {
  two w(10s, [] { return std::make_unique<frames>(); });
  {
    tls_stranger liar(w.host.port(), {w.t.of("south")});
    REQUIRE(liar.let_in());
    auto there = w.host.next();
    REQUIRE(there);
    REQUIRE(liar.send(std::string("\0\0\0\3abc", 7)));
    CHECK(read_exactly(there->local.get(), 7) == std::string("\0\0\0\3abc", 7));
    REQUIRE(liar.send(std::string("\xff\xff\xff\xff", 4) + std::string(1000, 'x')));
    CHECK(read_exactly(there->local.get(), 1).empty());
    CHECK(becomes_true([&] { return w.host.said_word("filter"); }));
  }
  // Not for the other protocol, and anew for each link.
  auto guest = connect(*w.guest, w.host);
  REQUIRE(write_all(guest.here.get(), std::string("\0\0\0\1x", 5)));
  CHECK(read_exactly(guest.there.get(), 5).size() == 5);
  auto http = dial(*w.guest, w.host.address, "north", platform::link_protocol::http);
  REQUIRE(http.ok());
  auto there = w.host.next();
  REQUIRE(there);
  CHECK(there->protocol == platform::link_protocol::http);
  REQUIRE(write_all(http->local.get(), "GET / HTTP/1.1\r\n\r\n"));
  CHECK(read_exactly(there->local.get(), 18) == "GET / HTTP/1.1\r\n\r\n");
}
