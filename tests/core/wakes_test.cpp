// Wakes: how a session wants them, and what is out.
#include <rapidcheck/catch.h>

#include <map>

#include "core/session/wake_box.hpp"
#include "core/session/wake_sink.hpp"
#include "core/text/base64.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

constexpr instant noon = from_micros(1'795'255'200'000'000);
constexpr session_id anna{1}, ben{2};

open_wake for_run(std::int64_t run, session_id who = anna) {
  open_wake w;
  w.run = run_id{run};
  w.session = who;
  return w;
}

}  // namespace

TEST_CASE("base64: the vectors of RFC 4648, and back", "[core][text]") {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    CHECK(to_base64(plain) == coded);
    CHECK(from_base64(coded) == plain);
  }
  for (const auto* bad : {"Z", "Zg=", "Zg", "Zh==", "====", "Zm9v!mFy", "Z===", "=g=="})
    CHECK_FALSE(from_base64(bad).has_value());
  rc::prop("every text comes back",
           [](const std::string& text) { RC_ASSERT(from_base64(to_base64(text)) == text); });
}

TEST_CASE("wake sink: mistakes are named, and no secret is shown", "[core][wake]") {
  wake_sink s;
  CHECK(check(s, "/wake").empty());
  s.via = wake_via::webhook;
  s.url = "https://example.org:8443/w?x=1";
  s.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  CHECK(check(s, "/wake").empty());
  for (const auto* url : {"", "ftp://x/", "http://", "http:///x", "https://user@x/", "http://x/#f",
                          "http://x y/", "http://:80/", "//x", "http://x\\@y/", "HTTP:/x", "http://é/"}) {
    INFO(url);
    s.url = url;
    REQUIRE(check(s, "/wake").size() == 1);
    CHECK(check(s, "/wake").front().pointer == "/wake/url");
  }
  s.url = "HTTP://[::1]/";
  CHECK(check(s, "/wake").empty());
  s.secret = "env:BELFRY_WEBHOOK_KEY";
  CHECK(check(s, "/wake").empty());
  for (const auto* secret : {"", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "env:PATH",
                             "env:BELFRY_WEBHOOK_", "env:BELFRY_WEBHOOK_x", "whsec_!!!!"}) {
    INFO(secret);
    s.secret = secret;
    REQUIRE(check(s, "/wake").size() == 1);
    CHECK(check(s, "/wake").front().pointer == "/wake/secret");
    CHECK(check(s, "/wake").front().value.empty());
  }
  s = {};
  s.via = wake_via::command;
  CHECK(check(s, "").at(0).pointer == "/argv");
  s.argv = {"nudge", "x"};
  CHECK(check(s, "").empty());
  s.cwd = "here";
  CHECK(check(s, "").at(0).pointer == "/cwd");
  s.cwd = "/";
  s.timeout = 61s;
  CHECK(check(s, "").at(0).pointer == "/timeout");
  s.via = wake_via::none;
  s.timeout = 5s;
  CHECK(check(s, "").size() == 2);  // argv and cwd belong to commands
  CHECK(shown_url("https://x/y?token=z") == "https://x/y?…");
  for (const auto v : {wake_via::poll, wake_via::webhook, wake_via::command, wake_via::none})
    CHECK(wake_via_from(to_text(v)) == v);
}

TEST_CASE("wake box: a wake is out until it is heard, claimed, or late, and that once", "[core][wake]") {
  wake_box box{{}};
  const auto first = box.put(for_run(7), noon);
  REQUIRE(first.ok());
  CHECK(first->fresh);
  CHECK(first->what.acknowledge_by == noon + 10s);
  const auto again = box.put(for_run(7), noon + 1s);
  CHECK_FALSE(again->fresh);
  CHECK(again->what.id == first->what.id);
  CHECK(box.put(for_run(7, ben), noon)->fresh);
  CHECK(box.put(for_run(8), noon + 2s)->fresh);
  CHECK(box.waiting(anna, {}, 9).size() == 2);
  CHECK(box.waiting(anna, first->what.id, 9).size() == 1);
  CHECK(box.waiting(anna, {}, 1).front().id == first->what.id);

  CHECK(box.acknowledge(ben, first->what.id).refused_with(errc::not_found));
  CHECK_FALSE(box.acknowledge(anna, first->what.id)->repeated);
  CHECK(box.acknowledge(anna, first->what.id)->repeated);
  CHECK(box.acknowledge(anna, first->what.id)->what.run == run_id{7});
  CHECK_FALSE(box.claim(anna, run_id{7}).has_value());
  CHECK(box.claim(ben, run_id{7})->session == ben);
  CHECK_FALSE(box.claim(ben, run_id{7}).has_value());

  CHECK(box.next_overdue() == noon + 12s);
  CHECK(box.overdue(noon + 11s).empty());
  const auto late = box.overdue(noon + 12s);
  REQUIRE(late.size() == 1);
  CHECK(late.front().run == run_id{8});
  CHECK(box.acknowledge(anna, late.front().id).refused_with(errc::invalid_transition));
  CHECK(box.size() == 0);
  CHECK_FALSE(box.any_of(anna));
}

TEST_CASE("wake box: what is out and what is remembered is bounded", "[core][wake]") {
  wake_box box{{5, 3, 2, 10s}};
  for (std::int64_t i = 1; i <= 3; ++i) CHECK(box.put(for_run(i), noon).ok());
  const auto full = box.put(for_run(4), noon);
  REQUIRE(full.refused_with(errc::overloaded));
  CHECK(full.error().text.find("3 wakes") != std::string::npos);
  CHECK(box.put(for_run(4, ben), noon).ok());
  CHECK(box.put(for_run(5, ben), noon).ok());
  CHECK(box.put(for_run(6, ben), noon).refused_with(errc::overloaded));
  CHECK(box.put(for_run(5, ben), noon).ok());  // that one is out already
  const auto all = box.fail_all_of(anna);
  REQUIRE(all.size() == 3);
  CHECK(box.acknowledge(anna, all[0].id).refused_with(errc::not_found));  // forgotten
  CHECK(box.acknowledge(anna, all[1].id).refused_with(errc::invalid_transition));
}

TEST_CASE("wake box: whatever happens, each wake ends once and none is lost", "[core][wake]") {
  rc::prop("any order of words", [] {
    wake_box box{{20, 8, 50, 10s}};
    std::map<wake_id, int> ends;
    auto now = noon;
    std::size_t sent = 0;
    const auto ended = [&](const open_wake& w) { ++ends[w.id]; };
    const auto steps = *rc::gen::inRange(1, 80);
    std::vector<wake_id> known{wake_id{1}};
    for (int i = 0; i < steps; ++i) {
      const session_id who{*rc::gen::inRange(1, 4)};
      const run_id run{*rc::gen::inRange(1, 6)};
      switch (*rc::gen::inRange(0, 6)) {
        case 0:
        case 1:
          if (auto p = box.put(for_run(run.value, who), now); p && p->fresh) {
            ++sent;
            known.push_back(p->what.id);
          }
          break;
        case 2:
          if (auto a = box.acknowledge(who, *rc::gen::elementOf(known)); a && !a->repeated) ended(a->what);
          break;
        case 3:
          if (auto c = box.claim(who, run)) ended(*c);
          break;
        case 4:
          now += std::chrono::seconds{*rc::gen::inRange(0, 8)};
          for (const auto& w : box.overdue(now)) ended(w);
          break;
        default:
          for (const auto& w : box.fail_all_of(who)) ended(w);
          break;
      }
    }
    RC_ASSERT(ends.size() + box.size() == sent);
    for (const auto& [id, times] : ends) RC_ASSERT(times == 1);
  });
}
