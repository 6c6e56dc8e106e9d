// Links: two systems in one process, and strangers at the end of a descriptor.
#include <dirent.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <iostream>
#include <random>
#include <thread>

#include <catch2/catch.hpp>

#include "actors/cluster/basp_filter.hpp"
#include "actors/cluster/caf_frames.hpp"
#include "actors/cluster/caf_links.hpp"
#include "tests/links/fake_secure_links.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;
using actors::envelope;
using actors::link_id;
using clock_type = std::chrono::steady_clock;

namespace {

template <class Done>
bool within(std::chrono::milliseconds limit, Done done) {
  const auto until = clock_type::now() + limit;
  while (!done()) {
    if (clock_type::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

// One side: its links, and what it was told.
struct side {
  fake_secure_links net;
  std::mutex lock;
  std::vector<std::pair<link_id, std::string>> ups, downs;
  std::vector<std::string> failures;
  std::vector<envelope> came;
  std::function<void(link_id, const envelope&)> on_came;  // set before anything comes
  std::unique_ptr<actors::caf_links> links;

  side(fake_network& n, const std::string& name, actors::caf_link_options o = {}) : net{n, name} {
    links = actors::make_caf_links(net, o);
    links->listen({[this](link_id id, std::string node, std::string) {
                     const std::lock_guard guard{lock};
                     ups.emplace_back(id, std::move(node));
                   },
                   [this](link_id id, envelope e) {
                     if (on_came) on_came(id, e);
                     const std::lock_guard guard{lock};
                     came.push_back(std::move(e));
                   },
                   [this](link_id id, std::string why) {
                     const std::lock_guard guard{lock};
                     downs.emplace_back(id, std::move(why));
                   }});
  }
  ~side() { links.reset(); }
  template <class T>
  T look(T (*f)(side&)) {
    const std::lock_guard guard{lock};
    return f(*this);
  }
  std::size_t up_count() {
    return look<std::size_t>([](side& s) { return s.ups.size(); });
  }
  std::size_t down_count() {
    return look<std::size_t>([](side& s) { return s.downs.size(); });
  }
  std::size_t came_count() {
    return look<std::size_t>([](side& s) { return s.came.size(); });
  }
  link_id last_up() {
    return look<link_id>([](side& s) { return s.ups.back().first; });
  }
  std::string last_why() {
    return look<std::string>([](side& s) { return s.downs.empty() ? "not down" : s.downs.back().second; });
  }
  void dial(const std::string& address) {
    links->dial(address, [this](core::failure f) {
      const std::lock_guard guard{lock};
      failures.push_back(f.text);
    });
  }
};

struct couple {
  fake_network net;
  side a, b;  // a listens, b dials
  explicit couple(actors::caf_link_options o = {}) : a{net, "a", o}, b{net, "b", o} {
    REQUIRE(a.links->listen_on("a:1", {}).ok());
    b.dial("a:1");
    REQUIRE(within(5s, [&] { return a.up_count() == 1 && b.up_count() == 1; }));
  }
};

// A number that says whether a body came whole.
std::string pattern(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 2654435761U + seed) >> 7U);
  return text;
}

std::size_t open_descriptors() {
  std::size_t n = 0;
  DIR* dir = ::opendir("/proc/self/fd");
  while (::readdir(dir) != nullptr) ++n;
  ::closedir(dir);
  return n;
}

// Carries bytes between two ends, as the network does: keeps what it has carried, and can be stopped, as a
// stopped process or a cut cable would.
class pump {
 public:
  void start(platform::descriptor left, platform::descriptor right) {
    left_ = std::move(left);
    right_ = std::move(right);
    thread_ = std::thread{[this] { run(); }};
  }
  void stop() { stopped_ = true; }
  void end() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  ~pump() { end(); }
  std::string from_left, from_right;  // after `end`

 private:
  void run() {
    while (!over_) {
      pollfd p[2] = {{left_.get(), POLLIN, 0}, {right_.get(), POLLIN, 0}};
      ::poll(p, 2, 5);
      if (stopped_) continue;
      carry(left_.get(), right_.get(), from_left);
      carry(right_.get(), left_.get(), from_right);
    }
  }
  void carry(int from, int to, std::string& carried) {
    char buffer[65536];
    const auto n = ::recv(from, buffer, sizeof buffer, 0);
    if (n <= 0) return;
    const auto size = static_cast<std::size_t>(n);
    carried.append(buffer, size);
    for (std::size_t at = 0; at < size && !over_;) {
      pollfd p{to, POLLOUT, 0};
      ::poll(&p, 1, 5);
      const auto sent = ::send(to, buffer + at, size - at, MSG_NOSIGNAL);
      if (sent > 0) at += static_cast<std::size_t>(sent);
      if (sent < 0 && errno != EAGAIN) return;
    }
  }
  platform::descriptor left_, right_;
  std::atomic<bool> stopped_{false}, over_{false};
  std::thread thread_;
};
// A link from `b` to `a` through it.
void join_through(pump& through, fake_network& net, side& a, side& b) {
  net.listeners["pump:1"] = [&](platform::secure_link l) {
    auto [near_end, far_end] = socket_pair();
    through.start(std::move(l.local), std::move(near_end));
    l.local = std::move(far_end);
    a.links->adopt(std::move(l));
  };
  b.dial("pump:1");
  REQUIRE(within(5s, [&] { return a.up_count() == 1 && b.up_count() == 1; }));
}

// The listening side of a link whose other end is in the hands of the test.
struct exposed {
  fake_network net;
  side a;
  platform::descriptor theirs;
  explicit exposed(actors::caf_link_options o = {}) : a{net, "a", o} { theirs = another(); }
  platform::descriptor another() {
    auto [here, there] = socket_pair();
    a.links->adopt({"stranger", "town", "nowhere", platform::link_protocol::actors, std::move(here)});
    return std::move(there);
  }
};
bool closed_by_peer(int fd) {
  return within(5s, [&] {
    char buffer[4096];
    const auto n = ::recv(fd, buffer, sizeof buffer, 0);
    return n == 0 || (n < 0 && errno != EAGAIN);
  });
}
std::string header(int operation, std::uint8_t flags, std::uint32_t payload, std::uint64_t data,
                   std::uint64_t source, std::uint64_t destination) {
  std::string h;
  const auto number = [&](std::uint64_t v, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) h += static_cast<char>(v >> (8 * i));
  };
  number(static_cast<std::uint64_t>(operation), 1);
  number(0, 2);
  number(flags, 1);
  number(payload, 4);
  number(data, 8);
  number(source, 8);
  number(destination, 8);
  return h;
}
void give(int fd, const std::string& bytes) {
  const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  (void)n;
}

}  // namespace

TEST_CASE("links: both sides are told of the link and of who is there, and envelopes go both ways in order",
          "[links]") {
  couple c;
  CHECK(c.a.ups[0].second == "b");
  CHECK(c.b.ups[0].second == "at-a:1");
  const auto to_a = c.b.last_up();
  const auto to_b = c.a.last_up();
  CHECK(to_a != 0);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    CHECK(c.a.links->send(to_b, {1, 4, i, "to b " + std::to_string(i)}));
    CHECK(c.b.links->send(to_a, {1, 5, i, "to a " + std::to_string(i)}));
  }
  REQUIRE(within(5s, [&] { return c.a.came_count() == 1000 && c.b.came_count() == 1000; }));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    REQUIRE(c.b.came[i] == envelope{1, 4, i, "to b " + std::to_string(i)});
    REQUIRE(c.a.came[i] == envelope{1, 5, i, "to a " + std::to_string(i)});
  }
  CHECK_FALSE(c.a.links->send(to_b + 77, {1, 4, 0, ""}));
  CHECK_FALSE(c.a.links->send(to_b, {1, 65535, 0, ""}));
}

TEST_CASE("links: a dial to nobody says why, and nothing goes up", "[links]") {
  fake_network net;
  side b{net, "b"};
  b.dial("a:1");
  REQUIRE(within(5s, [&] { return b.look<bool>([](side& s) { return !s.failures.empty(); }); }));
  CHECK(b.failures[0] == "nobody listens at a:1");
  CHECK(b.links->seen().links == 0);
}

TEST_CASE("links: a connection on which nobody speaks is told to who dialled, within the time of silence",
          "[links]") {
  fake_network net;
  side b{net, "b", {50ms, 200ms}};
  std::vector<platform::descriptor> kept;
  net.listeners["mute:1"] = [&](platform::secure_link l) { kept.push_back(std::move(l.local)); };
  b.dial("mute:1");
  REQUIRE(within(5s, [&] { return b.look<bool>([](side& s) { return !s.failures.empty(); }); }));
  CHECK(b.up_count() == 0);
  CHECK(b.down_count() == 0);
  CHECK_THAT(b.failures[0], Catch::Contains("mute:1 is no good link: "));
}

TEST_CASE("links: a hundred thousand envelopes pass the window, none is lost, doubled or out of order",
          "[links]") {
  couple c;
  const auto to_a = c.b.last_up();
  constexpr std::size_t total = 100'000;
  const std::string body(200, 'x');
  // `came` keeps them; the order is looked at afterwards.
  const auto begin = clock_type::now();
  std::size_t refused = 0;
  for (std::uint64_t i = 0; i < total; ++i)
    while (!c.b.links->send(to_a, {1, 7, i, body})) {
      ++refused;
      std::this_thread::yield();
    }
  REQUIRE(within(60s, [&] { return c.a.came_count() == total; }));
  const std::chrono::duration<double> took = clock_type::now() - begin;
  for (std::uint64_t i = 0; i < total; ++i) REQUIRE(c.a.came[i].number == i);
  std::cout << "links: " << static_cast<long>(total / took.count()) << " envelopes of 200 bytes a second ("
            << refused << " refusals)\n";
  CHECK(c.a.down_count() + c.b.down_count() == 0);
}

TEST_CASE("links: a long body comes whole, and short envelopes overtake it", "[links]") {
  couple c;
  const auto to_a = c.b.last_up();
  const auto long_one = pattern(std::size_t{20} << 20, 7);
  const auto begin = clock_type::now();
  REQUIRE(c.b.links->send(to_a, {1, 7, 1, long_one}));
  CHECK_FALSE(c.b.links->send(to_a, {1, 7, 2, "later"}));  // its window is full
  REQUIRE(within(20s, [&] { return c.a.came_count() == 1; }));
  const std::chrono::duration<double> took = clock_type::now() - begin;
  CHECK(c.a.came[0].body == long_one);
  std::cout << "links: " << static_cast<long>(20 / took.count()) << " MiB a second in one body\n";
  REQUIRE(within(5s, [&] { return c.b.links->send(to_a, {1, 7, 3, pattern(std::size_t{6} << 20, 1)}); }));
  REQUIRE(c.b.links->send(to_a, {1, 7, 4, "short"}));
  REQUIRE(within(20s, [&] { return c.a.came_count() == 3; }));
  CHECK(c.a.came[1].number == 4);
  CHECK(c.a.came[2].body == pattern(std::size_t{6} << 20, 1));
  CHECK_FALSE(c.b.links->send(to_a, {1, 7, 5, std::string((std::size_t{72} << 20) + 1, 'x')}));
}

TEST_CASE("links: who does not take what comes fills the window of the sender, and frees it by taking",
          "[links]") {
  couple c;
  const auto to_a = c.b.last_up();
  std::mutex gate;
  std::unique_lock held{gate};
  c.a.on_came = [&](link_id, const envelope&) { const std::lock_guard wait{gate}; };
  const std::string body(std::size_t{100} << 10, 'x');
  std::size_t sent = 0;
  REQUIRE(within(5s, [&] {
    while (c.b.links->send(to_a, {1, 7, sent, body})) ++sent;
    return true;
  }));
  CHECK(sent >= 80);
  CHECK(sent <= 90);
  std::this_thread::sleep_for(100ms);
  CHECK_FALSE(c.b.links->send(to_a, {1, 7, sent, body}));
  held.unlock();
  REQUIRE(within(5s, [&] { return c.a.came_count() == sent; }));
  REQUIRE(within(5s, [&] { return c.b.links->send(to_a, {1, 7, sent, body}); }));
  REQUIRE(within(5s, [&] { return c.a.came_count() == sent + 1; }));
  for (std::size_t i = 0; i <= sent; ++i) CHECK(c.a.came[i].number == i);
}

TEST_CASE("links: a side that goes away is noticed at once, and what is sent to it is refused", "[links]") {
  couple c;
  const auto to_b = c.a.last_up();
  c.b.links.reset();
  REQUIRE(within(2s, [&] { return c.a.down_count() == 1; }));
  CHECK(c.a.downs[0].first == to_b);
  CHECK_THAT(c.a.last_why(), Catch::Contains("closed"));
  CHECK_FALSE(c.a.links->send(to_b, {1, 4, 0, ""}));
  CHECK(c.a.links->seen().links == 0);
}

TEST_CASE("links: a link that is closed here goes down on both sides, once, with what was sent before",
          "[links]") {
  couple c;
  const auto to_b = c.a.last_up();
  CHECK(c.a.links->send(to_b, {1, 3, 9, "no"}));
  c.a.links->close(to_b, "it is not wanted");
  c.a.links->close(to_b, "twice");
  REQUIRE(within(2s, [&] { return c.a.down_count() == 1 && c.b.down_count() == 1; }));
  CHECK(c.a.last_why() == "it is not wanted");
  REQUIRE(c.b.came_count() == 1);
  CHECK(c.b.came[0].body == "no");
}

TEST_CASE("links: nothing is told after silence", "[links]") {
  couple c;
  c.a.links->silence();
  c.b.links->send(c.b.last_up(), {1, 4, 0, "x"});
  c.b.links.reset();
  REQUIRE(within(2s, [&] { return c.a.links->seen().links == 0; }));
  CHECK(c.a.came_count() + c.a.down_count() == 0);
}

TEST_CASE("links: one peer may have several links at a time, from either side, and each is its own",
          "[links]") {
  couple c;
  REQUIRE(c.b.links->listen_on("b:1", {}).ok());
  c.b.dial("a:1");
  c.a.dial("b:1");
  REQUIRE(within(5s, [&] { return c.a.up_count() == 3 && c.b.up_count() == 3; }));
  for (const auto& [id, node] : c.b.ups) CHECK(c.b.links->send(id, {1, 4, id, ""}));
  REQUIRE(within(5s, [&] { return c.a.came_count() == 3; }));
  c.b.links->close(c.b.ups[0].first, "the old one");
  REQUIRE(within(5s, [&] { return c.a.down_count() == 1; }));
  CHECK(c.b.links->send(c.b.ups[1].first, {1, 4, 7, ""}));
  CHECK(c.b.links->send(c.b.ups[2].first, {1, 4, 8, ""}));
  REQUIRE(within(5s, [&] { return c.a.came_count() == 5; }));
}

TEST_CASE("links: systems with the same node id of CAF can link: here one with itself", "[links]") {
  fake_network net;
  side a{net, "a"};
  REQUIRE(a.links->listen_on("a:1", {}).ok());
  a.dial("a:1");
  REQUIRE(within(5s, [&] { return a.up_count() == 2; }));
  for (const auto& [id, node] : a.ups) CHECK(a.links->send(id, {1, 4, id, node}));
  REQUIRE(within(5s, [&] { return a.came_count() == 2; }));
  CHECK(a.came[0].number != a.came[1].number);
  CHECK(a.down_count() == 0);
}

TEST_CASE("links: two hundred links up and down leave neither actors nor descriptors behind", "[links]") {
  couple c;
  const auto stands = [&] { return c.a.links->seen().actors + c.b.links->seen().actors; };
  const auto actors = stands();
  const auto descriptors = open_descriptors();
  for (std::size_t i = 0; i < 200; ++i) {
    c.b.dial("a:1");
    REQUIRE(within(5s, [&] { return c.a.up_count() == i + 2 && c.b.up_count() == i + 2; }));
    (i % 2 == 0 ? c.a : c.b).links->close((i % 2 == 0 ? c.a : c.b).last_up(), "again");
    REQUIRE(within(5s, [&] { return c.a.down_count() == i + 1 && c.b.down_count() == i + 1; }));
  }
  CHECK(within(5s, [&] { return stands() == actors; }));
  CHECK(within(5s, [&] { return open_descriptors() <= descriptors; }));
  CHECK(c.a.links->seen().links == 1);
  CHECK(c.a.links->send(c.a.ups[0].first, {1, 4, 0, "still"}));
  CHECK(within(5s, [&] { return c.b.came_count() == 1; }));
}

TEST_CASE("links: an echo takes well under a millisecond here", "[links]") {
  couple c;
  const auto to_a = c.b.last_up();
  const auto to_b = c.a.last_up();
  c.a.on_came = [&](link_id, const envelope& e) { c.a.links->send(to_b, e); };
  std::vector<double> took;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const auto begin = clock_type::now();
    REQUIRE(c.b.links->send(to_a, {1, 4, i, "ping"}));
    while (c.b.came_count() != i + 1) {
      if (clock_type::now() - begin > 5s) FAIL("no echo of " << i);
    }
    took.push_back(std::chrono::duration<double, std::micro>(clock_type::now() - begin).count());
  }
  std::sort(took.begin(), took.end());
  std::cout << "links: echo " << took[took.size() / 2] << " us in the median, "
            << took[took.size() * 99 / 100] << " us at 99 %\n";
  CHECK(took[took.size() / 2] < 5000);
}

TEST_CASE("links: a peer that falls silent is cut off after the time of silence, and others live on",
          "[links]") {
  exposed x{{50ms, 250ms}};
  side b{x.net, "b", {50ms, 250ms}};
  REQUIRE(x.a.links->listen_on("a:1", {}).ok());
  b.dial("a:1");
  REQUIRE(within(5s, [&] { return x.a.up_count() == 1; }));
  // The stranger has never said a word: it was never up. The good one stays for many such times.
  CHECK(closed_by_peer(x.theirs.get()));
  std::this_thread::sleep_for(1s);
  CHECK(x.a.down_count() == 0);
  CHECK(x.a.links->seen().links == 1);
}

TEST_CASE("links: a good link whose other side stops is down after the time of silence", "[links]") {
  fake_network net;
  side a{net, "a", {50ms, 250ms}}, b{net, "b", {50ms, 250ms}};
  pump through;
  join_through(through, net, a, b);
  std::this_thread::sleep_for(600ms);
  CHECK(a.down_count() + b.down_count() == 0);
  const auto begin = clock_type::now();
  through.stop();
  REQUIRE(within(2s, [&] { return a.down_count() == 1 && b.down_count() == 1; }));
  const auto took = clock_type::now() - begin;
  CHECK(took > 150ms);
  CHECK(took < 1s);
  CHECK(a.last_why() == "nothing has come for 250 ms");
}

TEST_CASE("links: random bytes end their own link and nothing else", "[links]") {
  couple c;
  std::mt19937 dice{4711};
  for (int i = 0; i < 200; ++i) {
    auto [here, there] = socket_pair();
    c.a.links->adopt({"stranger", "town", "nowhere", platform::link_protocol::actors, std::move(here)});
    std::string noise(64 + dice() % 2000, '\0');
    for (auto& ch : noise) ch = static_cast<char>(dice());
    give(there.get(), noise);
    REQUIRE(closed_by_peer(there.get()));
  }
  CHECK(c.a.links->send(c.a.last_up(), {1, 4, 0, "still"}));
  CHECK(within(5s, [&] { return c.b.came_count() == 1; }));
  CHECK(c.a.down_count() == 0);
  CHECK(c.a.up_count() == 1);
  CHECK(within(5s, [&] { return c.a.links->seen().links == 1; }));
}

TEST_CASE("links: hostile headers end their own link before CAF acts on them", "[links]") {
  couple c;
  constexpr std::uint32_t huge = 0xFFFFFFFFU;
  const std::vector<std::string> hostile{
      header(0, 0, huge, 3, 0, 0),  // a handshake of 4 GiB
      header(1, 0, huge, 0, 0, 0),  // likewise
      header(0, 0, 10, 3, 0, 0),    // the handshake of the other side
      header(1, 0, 0, 0, 0, 0),     // without a name
      header(2, 0, 100, 0, 7, 8),   // a message before the handshake
      header(3, 0, 100, 0, 7, 8),   // to be routed
      header(4, 0, 0, 0, 0, 1),     // a proxy before the handshake
      header(5, 0, 100, 0, 1, 0),   // the end of an actor
      header(6, 0, 0, 0, 0, 0),     // a heartbeat before the handshake
      header(200, 0, 0, 0, 0, 0),   // no operation
  };
  for (const auto& h : hostile) {
    auto [here, there] = socket_pair();
    c.a.links->adopt({"stranger", "town", "nowhere", platform::link_protocol::actors, std::move(here)});
    give(there.get(), h);
    CHECK(closed_by_peer(there.get()));
  }
  // ... and after a good handshake, which is any name at all.
  const std::string name(31, 'n');
  const std::string greeting = header(1, 2, static_cast<std::uint32_t>(name.size()), 0, 0, 0) + name;
  const std::vector<std::string> later{
      header(1, 2, 31, 0, 0, 0),
      header(2, 0, huge, 0, 7, 8),
      header(2, 0, (1U << 20) + 1, 0, 7, 8),
      header(2, 1, 100, 0, 7, 0x5370617753657276U),  // an actor by its name
      header(2, 0, 100, 0, 7, 1),                    // an actor that is not the link's
      header(2, 0, 100, 0, 7, 8),
      header(3, 0, 100, 0, 7, 8),
      header(5, 0, 100, 0, 7, 8),
      header(6, 0, 5, 0, 0, 0),
      header(4, 0, 5000, 0, 0, 1),
  };
  for (const auto& h : later) {
    auto [here, there] = socket_pair();
    c.a.links->adopt({"stranger", "town", "nowhere", platform::link_protocol::actors, std::move(here)});
    give(there.get(), greeting + h + std::string(200, '\0'));
    CHECK(closed_by_peer(there.get()));
  }
  CHECK(c.a.up_count() == 1);
  CHECK(c.a.down_count() == 0);
  CHECK(c.a.links->send(c.a.last_up(), {1, 4, 0, "still"}));
  CHECK(within(5s, [&] { return c.b.came_count() == 1; }));
}

// What a good peer says, byte by byte, so that each part of it can be spoilt.
struct recorded {
  std::string client, server;
};
static recorded record(const std::function<void(side&, side&)>& talk) {
  fake_network net;
  side a{net, "a"}, b{net, "b"};
  pump through;
  join_through(through, net, a, b);
  talk(a, b);
  through.end();
  return {through.from_left, through.from_right};
}

TEST_CASE("basp filter: all that a good link says passes, however it is cut into pieces", "[links]") {
  const auto r = record([](side& a, side& b) {
    CHECK(b.links->send(b.last_up(), {1, 4, 1, "hello"}));
    CHECK(a.links->send(a.last_up(), {1, 4, 1, pattern(std::size_t{1} << 20, 3)}));
    REQUIRE(within(5s, [&] { return a.came_count() == 1 && b.came_count() == 1; }));
    std::this_thread::sleep_for(1200ms);  // heartbeats
  });
  CHECK(r.server.size() > (std::size_t{1} << 20));
  for (const auto* said : {&r.client, &r.server})
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{31}, std::size_t{32}, std::size_t{33}, said->size()}) {
      actors::basp_filter f;
      bool good = true;
      for (std::size_t at = 0; at < said->size(); at += piece)
        good = good && f.pass(std::string_view{*said}.substr(at, piece));
      CHECK(good);
    }
  // The operations that were seen, with their longest payloads: what is written down in basp_filter.hpp.
  for (const auto* said : {&r.client, &r.server}) {
    std::map<int, std::uint32_t> longest;
    for (std::size_t at = 0; at + actors::basp_header_size <= said->size();) {
      const auto h = actors::read_basp_header(std::string_view{*said}.substr(at, actors::basp_header_size));
      auto& most = longest[static_cast<int>(h.operation)];
      most = std::max(most, h.payload);
      at += actors::basp_header_size + h.payload;
    }
    for (const auto& [operation, most] : longest) {
      std::cout << "links: operation " << operation << ", at most " << most << " bytes of payload\n";
      CHECK((operation == 0 || operation == 1 || operation == 2 || operation == 4 || operation == 6));
      if (operation != 2) CHECK(most <= 256);
    }
  }
  actors::basp_filter f;
  CHECK(f.pass(r.client));
  CHECK_FALSE(f.pass(header(2, 0, (1U << 20) + 1, 0, 7, 8)));
  CHECK_FALSE(f.pass("anything"));
}

TEST_CASE("links: a good talk with one byte spoilt ends at worst its own link", "[links]") {
  const auto r = record([](side&, side& b) {
    for (std::uint64_t i = 0; i < 3; ++i) CHECK(b.links->send_soon(b.last_up(), {1, 4, i, "hello"}));
    std::this_thread::sleep_for(100ms);
  });
  couple c;
  std::mt19937 dice{4711};
  for (int i = 0; i < 300; ++i) {
    auto [here, there] = socket_pair();
    c.a.links->adopt({"stranger", "town", "nowhere", platform::link_protocol::actors, std::move(here)});
    auto said = r.client;
    for (auto n = 1 + dice() % 3; n != 0; --n) said[dice() % said.size()] = static_cast<char>(dice());
    give(there.get(), said);
    there = {};
  }
  REQUIRE(within(10s, [&] { return c.a.links->seen().links == 1; }));
  CHECK(c.a.links->send(c.a.ups[0].first, {1, 4, 0, "still"}));
  CHECK(within(5s, [&] { return c.b.came_count() == 1; }));
}

TEST_CASE("links: what may wait goes along with what may not, in order, or by itself in a moment",
          "[links]") {
  constexpr std::uint64_t many = 50;
  const auto r = record([&](side& a, side& b) {
    for (std::uint64_t i = 0; i < many; ++i) CHECK(b.links->send_soon(b.last_up(), {1, 4, i, "later"}));
    CHECK(b.links->send(b.last_up(), {1, 4, many, "now"}));
    REQUIRE(within(5s, [&] { return a.came_count() == many + 1; }));
    const std::lock_guard guard{a.lock};
    for (std::uint64_t i = 0; i <= many; ++i) CHECK(a.came[i].number == i);
  });
  std::size_t frames = 0;
  for (std::size_t at = 0; at + actors::basp_header_size <= r.client.size();) {
    const auto h = actors::read_basp_header(std::string_view{r.client}.substr(at, actors::basp_header_size));
    frames += h.operation == actors::basp_operation::direct_message ? 1 : 0;
    at += actors::basp_header_size + h.payload;
  }
  CHECK(frames < many / 2);  // a greeting and a few; one each would be more than many
  couple c;
  CHECK(c.b.links->send_soon(c.b.last_up(), {1, 4, 7, "alone"}));
  CHECK(within(5s, [&] { return c.a.came_count() == 1; }));
  CHECK(c.b.links->send_soon(c.b.last_up(), {1, 4, 8, "last words"}));
  c.b.links->close(c.b.last_up(), "enough");
  CHECK(within(5s, [&] { return c.a.came_count() == 2; }));
}

TEST_CASE("links: a bundle that nobody makes ends its own link, and nothing of it gets in", "[links]") {
  // What a good peer says, with its one frame made into a bundle of these bytes.
  const auto bundle_of = [](const std::string& body) {
    constexpr std::size_t number = 8, kind = 2;
    const std::string filler(body.size(), '#');
    auto said = record([&](side& a, side& b) {
                  CHECK(b.links->send(b.last_up(), {1, 0x1234, 0, filler}));
                  REQUIRE(within(5s, [&] { return a.came_count() == 1; }));
                }).client;
    const auto at = said.find(filler);
    REQUIRE(at != std::string::npos);
    const auto kind_at = at - actors::length_of_length(body.size()) - number - kind;
    REQUIRE(said.substr(kind_at, kind) == "\x12\x34");
    said.replace(kind_at, kind, "\xFF\xFC");
    return said.replace(at, body.size(), body);
  };
  const auto bytes = [](const char* text, std::size_t size) { return std::string{text, size}; };
  const auto one = bytes("\x01\x04\x07\x00", 4);  // version, kind, number, no body
  {
    exposed x;
    give(x.theirs.get(), bundle_of(one + bytes("\x01\x04\x08\x01!", 5)));
    REQUIRE(within(5s, [&] { return x.a.came_count() == 2; }));
    CHECK(x.a.came[0] == envelope{1, 4, 7, ""});
    CHECK(x.a.came[1] == envelope{1, 4, 8, "!"});
  }
  std::string crowd;
  for (int i = 0; i < 65; ++i) crowd += one;
  const std::vector<std::string> hostile{
      one + bytes("\x01\x04\x08\x10!", 5),                            // its body ends early
      one + bytes("\x01\xFE\xFF\x03\x00\x00", 6),                     // of a kind of the link's own
      one + bytes("\x80\x80\x04\x04\x00\x00", 6),                     // of version 65536
      one + bytes("\x01", 1),                                         // hardly begun
      bytes("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 12),  // a number without end
      crowd,
  };
  for (const auto& body : hostile) {
    exposed x;
    give(x.theirs.get(), bundle_of(body));
    CHECK(closed_by_peer(x.theirs.get()));
    CHECK(x.a.came_count() == 0);
  }
}

TEST_CASE("links: there is no socket that another process could connect to", "[links]") {
  couple c;
  DIR* dir = ::opendir("/proc/self/fd");
  std::size_t sockets = 0;
  while (const auto* entry = ::readdir(dir)) {
    const int fd = std::atoi(entry->d_name);
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) continue;
    ++sockets;
    CHECK(listens == 0);
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) == 0);
    if (name.ss_family == AF_UNIX) CHECK(length == sizeof(sa_family_t));  // it has no name
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  }
  ::closedir(dir);
  CHECK(sockets >= 2);
}
