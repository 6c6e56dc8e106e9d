// The way out: whom a node takes for the other, and how it says that there is no link.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdio>

#include "platform/links/address.hpp"
#include "platform/links/notes.hpp"
#include "platform/links/places.hpp"
#include "tests/platform/links_support.hpp"

using namespace belfry;
using namespace belfry::links_test;

namespace {

std::unique_ptr<platform::secure_links> node_of(const papers& p) {
  auto made = platform::open_secure_links(options_of(p));
  if (!made) FAIL(made.error().text);
  return std::move(*made);
}

// Accepts in the kernel, and never says a word.
struct black_hole {
  black_hole() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof a;
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&a), size) == 0);
    REQUIRE(::listen(fd.get(), 8) == 0);
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&a), &size);
    address = "127.0.0.1:" + std::to_string(ntohs(a.sin_port));
  }
  platform::descriptor fd;
  std::string address;
};

}  // namespace

TEST_CASE("dial: another node than the expected one is refused", "[platform][links]") {
  town t;
  door north(options_of(t.of("north")));
  auto south = node_of(t.of("south"));
  const auto wrong = dial(*south, north.address, "east");
  REQUIRE(wrong.refused_with(core::errc::unauthorised));
  INFO(wrong.error().text);
  CHECK(wrong.error().text.find("it is north, not east") != std::string::npos);
  CHECK_FALSE(north.next(50ms));  // nor did it count as a peer there
  CHECK(dial(*south, north.address, "north").ok());
  CHECK(dial(*south, north.address).ok());
}

TEST_CASE("dial: an impostor of another authority is refused, and learns why it refuses us",
          "[platform][links]") {
  town t, same_names;
  door impostor(options_of(same_names.of("north")));
  auto south = node_of(t.of("south"));
  const auto wrong = dial(*south, impostor.address, "north");
  REQUIRE(wrong.refused_with(core::errc::unauthorised));
  CHECK_FALSE(impostor.next(50ms));
  CHECK(becomes_true([&] { return impostor.links()->seen().refused > 0; }));

  // Both trusted here, only one there: the alert tells.
  town other("village");
  door village(options_of(other.of("north")));
  CHECK(dial(*south, village.address).refused_with(core::errc::unauthorised));
}

TEST_CASE("dial: a deadline holds for the connection, the handshake and the welcome", "[platform][links]") {
  town t;
  auto south = node_of(t.of("south"));
  const black_hole nobody;
  const auto begun = std::chrono::steady_clock::now();
  const auto late = dial(*south, nobody.address, {}, platform::link_protocol::actors, 300ms);
  REQUIRE(late.refused_with(core::errc::timed_out));
  const auto took = std::chrono::steady_clock::now() - begun;
  CHECK(took >= 290ms);
  CHECK(took < 5s);
  CHECK(becomes_true([&] { return south->seen().handshakes == 0; }));
}

TEST_CASE("dial: what is no address, or where nobody listens, is said at once", "[platform][links]") {
  town t;
  auto south = node_of(t.of("south"));
  for (const std::string bad : {"", "here", ":1", "host:", "host:0x1", "host:70000", "::1:7421", "host:-1"}) {
    INFO(bad);
    CHECK(dial(*south, bad).refused_with(core::errc::invalid));
  }
  std::string gone;
  {
    const black_hole closed;
    gone = closed.address;
  }
  CHECK(dial(*south, gone).refused_with(core::errc::unavailable));
}

TEST_CASE("dial: over IPv6 and by name as well", "[platform][links]") {
  town t;
  auto south = node_of(t.of("south"));
  auto made = platform::open_secure_links(options_of(t.of("north")));
  REQUIRE(made.ok());
  const auto bound = (*made)->listen("[::1]:0", [](platform::secure_link) {});
  if (!bound) {
    std::printf("belfry-skip: no IPv6 on this machine\n");
  } else {
    CHECK(bound->rfind("[::1]:", 0) == 0);
    CHECK(dial(*south, *bound).ok());
  }
  door here(options_of(t.of("north")), "localhost:0");
  CHECK(dial(*south, "localhost:" + std::to_string(here.port())).ok());
}

TEST_CASE("listen: an address in use is unavailable, a wrong one invalid, a second one too",
          "[platform][links]") {
  town t;
  door first(options_of(t.of("north")));
  auto second = node_of(t.of("south"));
  CHECK(second->listen(first.address, [](platform::secure_link) {}).refused_with(core::errc::unavailable));
  CHECK(second->listen("nonsense", [](platform::secure_link) {}).refused_with(core::errc::invalid));
  CHECK(second->listen("192.0.2.1:0", [](platform::secure_link) {}).refused_with(core::errc::invalid));
  CHECK(second->listen("127.0.0.1:0", [](platform::secure_link) {}).ok());
  CHECK(second->listen("127.0.0.1:0", [](platform::secure_link) {}).refused_with(core::errc::invalid));
}

TEST_CASE("links: the end closes everything, and nothing is called afterwards", "[platform][links]") {
  town t;
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    const black_hole nobody;
    door north(options_of(t.of("north")));
    auto south = node_of(t.of("south"));
    auto called = std::make_shared<std::atomic<int>>(0);
    south->dial(nobody.address, platform::link_protocol::actors, {}, 60s,
                [called](core::result<platform::secure_link>) { ++*called; });
    auto e = connect(*south, north);
    const stranger half(north.port());
    south.reset();
    north.links().reset();
    CHECK(called->load() == 0);
    CHECK(ends(e.here.get()));
    CHECK(ends(e.there.get()));
  }
  CHECK(open_descriptors() <= before);
}

TEST_CASE("places: shares and caps", "[platform][links]") {
  platform::links::places p(8, 8);
  CHECK(p.shake("a") == nullptr);
  CHECK(p.shake("a") == nullptr);
  CHECK(p.shake("a") != nullptr);  // a quarter, but two
  CHECK(p.shake("b") == nullptr);
  p.shaken("a");
  CHECK(p.shake("a") == nullptr);
  p.shaken("nobody");
  CHECK(p.shaking() == 3);
  for (const std::string who : {"c", "d", "e", "f", "g"}) CHECK(p.shake(who) == nullptr);
  CHECK(p.shake("h") != nullptr);
  using platform::link_protocol;
  CHECK(p.room(link_protocol::http, 5, 5));
  CHECK_FALSE(p.room(link_protocol::http, 6, 6));
  CHECK(p.room(link_protocol::actors, 7, 6));
  CHECK_FALSE(p.room(link_protocol::actors, 8, 6));
}

TEST_CASE("notes: ten a second, and then how many were left out", "[platform][links]") {
  std::vector<std::string> lines;
  platform::links::notes n([&](const std::string& line) { lines.push_back(line); });
  const auto at = core::from_micros(5'000'000);
  for (int i = 0; i < 25; ++i) n.say(at + i * 10ms, "x");
  CHECK(lines.size() == 10);
  n.say(at + 1s, "y");
  REQUIRE(lines.size() == 12);
  CHECK(lines[10] == "link-notes-left-out count=15");
  CHECK(lines[11] == "y");
}
