// The door, as an attacker finds it. After each, whoever belongs here still comes in.
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <thread>

#include "platform/ports/files.hpp"
#include "tests/platform/links_support.hpp"

using namespace belfry;
using namespace belfry::links_test;

namespace {

struct house {
  explicit house(const std::function<void(platform::secure_link_options&)>& change = {})
      : at([&] {
          auto o = options_of(t.of("north"));
          if (change) change(o);
          return o;
        }()),
        guest(std::move(*platform::open_secure_links(options_of(t.of("south"))))) {}

  // A good peer comes in and is understood.
  bool open_for_friends() {
    auto here = dial(*guest, at.address, "north");
    if (!here) {
      UNSCOPED_INFO(here.error().text);
      return false;
    }
    auto there = at.next();
    return there && there->node == "south" && there->cluster == "town" && here->node == "north" &&
           write_all(here->local.get(), "hello") && read_exactly(there->local.get(), 5) == "hello";
  }
  bool refuses(const tls_wish& wish) { return !tls_stranger(at.port(), wish).let_in(); }
  // Nobody came of it.
  bool nobody() { return !at.next(50ms); }

  town t;
  door at;
  std::unique_ptr<platform::secure_links> guest;
};

}  // namespace

TEST_CASE("door: a peer is who its certificate says", "[platform][links]") {
  house h;
  tls_stranger south(h.at.port(), {h.t.of("south")});
  REQUIRE(south.let_in());
  const auto came = h.at.next();
  REQUIRE(came);
  CHECK(came->node == "south");
  CHECK(came->cluster == "town");
  CHECK(came->protocol == platform::link_protocol::actors);
  CHECK(came->address.rfind("127.0.0.1:", 0) == 0);
  CHECK(SSL_version(south.tls()) == TLS1_3_VERSION);
  CHECK(SSL_get_verify_result(south.tls()) != X509_V_OK);  // which does not look at us, by intent
  CHECK(h.open_for_friends());
}

TEST_CASE("door: plain text and random bytes get no further than the handshake", "[platform][links]") {
  house h;
  const auto before = open_descriptors();
  for (const std::string text : {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HELO\r\n", "\n", "BASP"}) {
    stranger s(h.at.port());
    s.send(text + std::string(600, '.'));
    CHECK(s.cut_off());
  }
  std::mt19937 random(4711);
  for (int i = 0; i < 300; ++i) {
    stranger s(h.at.port());
    std::string bytes(1 + random() % 2000, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    // Half of them begin like a handshake record.
    if (i % 2 == 0 && bytes.size() > 5) bytes.replace(0, 5, std::string("\x16\x03\x01\x02\x00", 5));
    s.send(bytes);
    ::shutdown(s.fd.get(), SHUT_WR);
    CHECK(s.cut_off());
  }
  CHECK(h.nobody());
  CHECK(h.open_for_friends());
  CHECK(becomes_true([&] { return h.at.links()->seen().handshakes == 0; }));
  CHECK(becomes_true([&] { return h.at.links()->seen().links == 0 && open_descriptors() <= before; }));
}

TEST_CASE("door: whoever says nothing, or a byte at a time, is sent away at the deadline",
          "[platform][links]") {
  house h([](auto& o) { o.handshake = 400ms; });
  stranger silent(h.at.port()), slow(h.at.port(), "127.0.0.2");
  const auto begun = std::chrono::steady_clock::now();
  bool gone = false;
  const std::string hello =
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(500, 'r');
  for (const char c : hello) {
    if (!slow.send({&c, 1})) {
      gone = true;
      break;
    }
    std::this_thread::sleep_for(5ms);
  }
  CHECK((gone || slow.cut_off()));
  CHECK(silent.cut_off());
  const auto took = std::chrono::steady_clock::now() - begun;
  CHECK(took >= 350ms);
  CHECK(took < 4s);
  CHECK(h.open_for_friends());
  CHECK(becomes_true([&] { return h.at.links()->seen().handshakes == 0; }));
}

TEST_CASE("door: papers of others are no papers", "[platform][links]") {
  house h;
  const scratch in;
  town same_names;
  const auto north = h.t.of("north"), authority = papers{"", h.t.authority(), h.t.authority_key()};

  CHECK(h.refuses({papers{}}));                       // none
  CHECK(h.refuses({forge(in, "self", {}, "", "")}));  // signed by itself
  CHECK(h.refuses({same_names.of("south")}));         // the same names of another authority
  CHECK(h.refuses({h.t.issued_at("south", wall_now() - 24h * 9, 24h)}));  // expired
  CHECK(h.refuses({h.t.issued_at("south", wall_now() + 24h * 9, 24h)}));  // not valid yet
  CHECK(h.refuses({authority}));                                          // the authority's own, as a node
  // A node issues another, and shows the chain.
  CHECK(h.refuses({forge(in, "child", {}, north.certificate, north.key, true)}));
  // The authority's key signs an authority below itself, which is shown as a node.
  CHECK(h.refuses({forge(in, "below",
                         {"URI:belfry://town/south", "critical,CA:TRUE",
                          "critical,keyCertSign,digitalSignature", "clientAuth,serverAuth"},
                         h.t.authority(), h.t.authority_key())}));
  CHECK(h.nobody());
  CHECK(h.at.links()->seen().refused >= 8);
  CHECK(h.open_for_friends());
}

TEST_CASE("door: a certificate of the authority that is no node's of this cluster is refused",
          "[platform][links]") {
  house h;
  const scratch in;
  int n = 0;
  const auto shows = [&](const forged& what) {
    return tls_wish{forge(in, "f" + std::to_string(++n), what, h.t.authority(), h.t.authority_key())};
  };
  forged good;
  {
    tls_stranger fine(h.at.port(), shows(good));  // the forger's way of making them works
    REQUIRE(fine.let_in());
    REQUIRE(h.at.next());
  }
  for (const std::string uri :
       {"", "URI:belfry://village/north", "URI:belfry://town/", "URI:belfry://town", "URI:http://town/north",
        "URI:belfry://town/a/b", "URI:belfry://town/North", "URI:belfry://town/north%00",
        "URI:belfry://town/north,URI:belfry://town/south", "DNS:north", "URI:belfry://town/..",
        "URI:belfry://town/north,URI:http://x/"}) {
    INFO(uri);
    auto what = good;
    what.uri = uri;
    CHECK(h.refuses(shows(what)));
  }
  auto server_only = good;
  server_only.extended = "serverAuth";
  CHECK(h.refuses(shows(server_only)));
  CHECK(h.nobody());
  CHECK(h.open_for_friends());
}

TEST_CASE("door: nothing older than TLS 1.3, and no protocol but ours", "[platform][links]") {
  house h;
  tls_wish wish{h.t.of("south")};
  wish.version = TLS1_2_VERSION;
  CHECK(h.refuses(wish));
  wish.version = TLS1_3_VERSION;
  wish.offers = {};
  CHECK(h.refuses(wish));
  wish.offers = {"h2", "http/1.1"};
  CHECK(h.refuses(wish));
  wish.offers = {"belfry-actors/2"};
  CHECK(h.refuses(wish));
  CHECK(h.nobody());
  wish.offers = {"h2", "belfry-http/1", "belfry-actors/1"};
  tls_stranger web(h.at.port(), wish);
  REQUIRE(web.let_in());
  CHECK(web.agreed() == "belfry-http/1");
  const auto came = h.at.next();
  REQUIRE(came);
  CHECK(came->protocol == platform::link_protocol::http);
  CHECK(h.open_for_friends());
}

TEST_CASE("door: no session is resumed and no ticket is given", "[platform][links]") {
  house h;
  tls_stranger first(h.at.port(), {h.t.of("south")});
  REQUIRE(first.let_in());
  auto there = h.at.next();
  REQUIRE(write_all(there->local.get(), "x"));
  char word = 0;
  REQUIRE(SSL_read(first.tls(), &word, 1) == 1);  // tickets would have come before
  CHECK(SSL_SESSION_is_resumable(SSL_get0_session(first.tls())) == 0);
}

TEST_CASE("door: a node that was removed is told so, and comes no further", "[platform][links]") {
  std::atomic<bool> may{false};
  house h(
      [&](auto& o) { o.admits = [&](const std::string& node) { return node == "south" && may.load(); }; });
  const auto refused = dial(*h.guest, h.at.address);
  REQUIRE(refused.refused_with(core::errc::forbidden));
  CHECK(h.nobody());
  CHECK(becomes_true([&] { return h.at.said_word("removed"); }));
  may = true;
  CHECK(h.open_for_friends());
  CHECK_FALSE(dial(**platform::open_secure_links(options_of(h.t.of("west"))), h.at.address).ok());
}

TEST_CASE("door: the newest link of a node takes the place of its oldest", "[platform][links]") {
  house h([](auto& o) { o.per_peer = 2; });
  auto first = connect(*h.guest, h.at), second = connect(*h.guest, h.at), third = connect(*h.guest, h.at);
  CHECK(ends(first.there.get()));
  CHECK(ends(first.here.get()));
  REQUIRE(write_all(second.here.get(), "2"));
  CHECK(read_exactly(second.there.get(), 1) == "2");
  REQUIRE(write_all(third.here.get(), "3"));
  CHECK(read_exactly(third.there.get(), 1) == "3");
  CHECK(h.at.links()->seen().links == 2);
  // Of others, and of the other protocol, there may be more.
  auto west = std::move(*platform::open_secure_links(options_of(h.t.of("west"))));
  auto other = connect(*west, h.at);
  std::vector<platform::secure_link> web;
  for (int i = 0; i < 4; ++i) {
    auto made = dial(*h.guest, h.at.address, {}, platform::link_protocol::http);
    REQUIRE(made.ok());
    web.push_back(std::move(*made));
  }
  CHECK(becomes_true([&] { return h.at.links()->seen().links == 7; }));
}

TEST_CASE("door: when all places are taken, a peer is told to come later; nodes keep a quarter of them",
          "[platform][links]") {
  house h([](auto& o) { o.connections = 4; });
  std::vector<platform::secure_link> web;
  for (int i = 0; i < 3; ++i) {
    auto made = dial(*h.guest, h.at.address, {}, platform::link_protocol::http);
    REQUIRE(made.ok());
    web.push_back(std::move(*made));
  }
  CHECK(dial(*h.guest, h.at.address, {}, platform::link_protocol::http).refused_with(core::errc::overloaded));
  auto node = dial(*h.guest, h.at.address);
  REQUIRE(node.ok());
  auto west = std::move(*platform::open_secure_links(options_of(h.t.of("west"))));
  CHECK(dial(*west, h.at.address).refused_with(core::errc::overloaded));
  web.clear();
  for (int i = 0; i < 3; ++i) REQUIRE(h.at.next());  // and dropped
  CHECK(becomes_true([&] { return h.at.links()->seen().links == 1; }));
  CHECK(dial(*west, h.at.address).ok());
}

TEST_CASE("door: one address cannot take all places for handshakes", "[platform][links]") {
  house h([](auto& o) {
    o.handshakes = 16;
    o.handshake = 60s;
  });
  std::vector<std::unique_ptr<stranger>> held;
  for (int i = 0; i < 40; ++i) held.push_back(std::make_unique<stranger>(h.at.port(), "127.0.0.9"));
  CHECK(becomes_true([&] { return h.at.links()->seen().refused >= 36; }));
  CHECK(h.at.links()->seen().handshakes == 4);
  CHECK(h.open_for_friends());
  CHECK(h.at.said_word("this address"));
  // With several addresses it can, for as long as a handshake may take.
  for (int from = 10; from < 13; ++from)
    for (int i = 0; i < 4; ++i)
      held.push_back(std::make_unique<stranger>(h.at.port(), "127.0.0." + std::to_string(from)));
  CHECK(becomes_true([&] { return h.at.links()->seen().handshakes == 16; }));
  CHECK_FALSE(dial(*h.guest, h.at.address).ok());
  held.clear();
  CHECK(becomes_true([&] { return h.at.links()->seen().handshakes == 0; }));
  CHECK(h.open_for_friends());
}

TEST_CASE("door: a flood of connections leaves nothing behind and floods no log", "[platform][links]") {
  house h([](auto& o) { o.handshake = 500ms; });
  REQUIRE(h.open_for_friends());
  CHECK(becomes_true([&] { return h.at.links()->seen().links == 0; }));
  const auto descriptors = open_descriptors();
  const auto memory = platform::resident_memory();
  const auto begun = std::chrono::steady_clock::now();
  std::size_t most = 0;
  {
    std::vector<std::unique_ptr<stranger>> crowd;
    for (int i = 0; i < 2000; ++i) {
      crowd.push_back(std::make_unique<stranger>(h.at.port(), "127.0.0." + std::to_string(2 + i % 8)));
      most = std::max(most, h.at.links()->seen().handshakes);
      if (crowd.size() == 200) crowd.clear();
    }
  }
  CHECK(most <= 32);
  CHECK(becomes_true([&] { return h.open_for_friends(); }));
  CHECK(becomes_true([&] { return h.at.links()->seen().handshakes == 0; }));
  CHECK(becomes_true([&] { return h.at.links()->seen().links == 0 && open_descriptors() <= descriptors; }));
  CHECK((!memory_tells() || platform::resident_memory() < memory + (16U << 20U)));
  const auto seconds = std::chrono::steady_clock::now() - begun;
  CHECK(h.at.said().size() <= 11 * static_cast<std::size_t>(2 + seconds / 1s));
}

TEST_CASE("door: two hundred who are silent cost no processor time", "[platform][links]") {
  house h([](auto& o) {
    o.handshakes = 800;
    o.handshake = 60s;
  });
  std::vector<std::unique_ptr<stranger>> silent;
  for (int i = 0; i < 200; ++i) {
    silent.push_back(std::make_unique<stranger>(h.at.port(), "127.0.0.9"));
    // Some begin, and stop in the middle; some send urgent data.
    if (i % 3 == 0) silent.back()->send(std::string("\x16\x03\x01\x02\x00\x01", 6));
    if (i % 3 == 1) ::send(silent.back()->fd.get(), "!", 1, MSG_OOB | MSG_NOSIGNAL);
  }
  REQUIRE(becomes_true([&] { return h.at.links()->seen().handshakes == 200; }));
  std::this_thread::sleep_for(100ms);
  const auto before = platform::cpu_used();
  std::this_thread::sleep_for(500ms);
  const auto used = platform::cpu_used() - before;
  INFO("used " << used.count() << " us in 500 ms");
  CHECK(used < 25ms);
  CHECK(h.open_for_friends());
}

TEST_CASE("door: out of descriptors it pauses, and is there again when some are free", "[platform][links]") {
  house h;
  REQUIRE(h.open_for_friends());
  CHECK(becomes_true([&] { return h.at.links()->seen().links == 0 && h.guest->seen().links == 0; }));
  rlimit was{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &was) == 0);
  // One that is connected by the kernel while this process has no number left for it.
  stranger waiting_outside(h.at.port(), "127.0.0.3");
  std::vector<platform::descriptor> hoard;
  const platform::descriptor ready(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto low = was;
  low.rlim_cur = open_descriptors() + 8;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  for (;;) {
    platform::descriptor d(::dup(0));
    if (!d) break;
    hoard.push_back(std::move(d));
  }
  std::unique_ptr<stranger> outside;
  {
    hoard.pop_back();  // one number, for the stranger's own socket
    outside = std::make_unique<stranger>(h.at.port(), "127.0.0.4");
  }
  const bool told = becomes_true([&] { return h.at.said_word("link-accept-failed"); });
  const auto before = platform::cpu_used();
  std::this_thread::sleep_for(300ms);
  const auto used = platform::cpu_used() - before;
  hoard.clear();
  ::setrlimit(RLIMIT_NOFILE, &was);
  CHECK(told);
  CHECK(used < 60ms);
  CHECK(h.open_for_friends());
}
