// Webhooks: signed as others verify them, and only where they may go.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <future>

#include "platform/ports/webhooks.hpp"
#include "tests/support/hook_receiver.hpp"

using namespace belfry;
using namespace std::chrono_literals;

namespace {

constexpr const char* secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string key{
    "\x31\xf2\x90\xf6\xbf\x06\x29\x8a\xab\x4f\x08\xd4\x3c\x3f\x08\x2c\xf6\x48\xa3\x62\xda\x2d\xa4\xb0", 24};

platform::webhook_order to(const std::string& url, core::span timeout = 5s) {
  platform::webhook_order o;
  o.url = url;
  o.secret = secret;
  o.id = "wak_1";
  o.at = core::from_micros(1'614'265'330'000'000);
  o.body = R"({"test": 2432232314})";
  o.timeout = timeout;
  return o;
}

platform::webhook_report post(platform::webhooks& hooks, platform::webhook_order order) {
  auto told = std::make_shared<std::promise<platform::webhook_report>>();
  auto answer = told->get_future();
  hooks.post(std::move(order), [told](platform::webhook_report r) { told->set_value(std::move(r)); });
  REQUIRE(answer.wait_for(20s) == std::future_status::ready);
  return answer.get();
}

}  // namespace

TEST_CASE("webhook: the signature is that of the published vector", "[platform][webhook]") {
  CHECK(platform::webhook_signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                    core::from_micros(1'614'265'330'000'000), R"({"test": 2432232314})") ==
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("webhook: a post carries id, time, signature and body, and 2xx is what it is",
          "[platform][webhook]") {
  test::hook_receiver receiver;
  const auto hooks = platform::real_webhooks({});
  CHECK(post(*hooks, to(receiver.url("/w?a=b"))).status == 204);
  const auto got = receiver.wait_for(0);
  REQUIRE(got);
  CHECK(got->target == "/w?a=b");
  CHECK(got->body == R"({"test": 2432232314})");
  CHECK(got->header("content-type") == "application/json");
  CHECK(got->header("webhook-id") == "wak_1");
  CHECK(got->header("webhook-timestamp") == "1614265330");
  CHECK(got->header("webhook-signature") ==
        platform::webhook_signature(key, "wak_1", core::from_micros(1'614'265'330'000'000), got->body));
  receiver.answer_with(500);
  CHECK(post(*hooks, to(receiver.url())).status == 500);
}

TEST_CASE("webhook: a redirect is not followed", "[platform][webhook]") {
  test::hook_receiver receiver;
  test::hook_receiver elsewhere;
  receiver.answer_with(307, "Location: " + elsewhere.url() + "\r\n");
  const auto hooks = platform::real_webhooks({});
  CHECK(post(*hooks, to(receiver.url())).status == 307);
  CHECK(elsewhere.count() == 0);
}

TEST_CASE("webhook: no answer, nobody there, no secret, another protocol: each says why",
          "[platform][webhook]") {
  test::hook_receiver receiver;
  receiver.answer_nothing();
  const auto hooks = platform::real_webhooks({});
  const auto late = post(*hooks, to(receiver.url(), 200ms));
  CHECK(late.status == 0);
  CHECK(late.trouble == "no answer within 200 ms");
  CHECK_FALSE(post(*hooks, to("http://127.0.0.1:1/")).trouble.empty());
  CHECK_FALSE(post(*hooks, to("file:///etc/hostname")).trouble.empty());
  auto order = to(receiver.url());
  order.secret = "env:BELFRY_WEBHOOK_OF_NOBODY";
  CHECK(post(*hooks, order).trouble == "its secret is not there, or is none");
  ::setenv("BELFRY_WEBHOOK_OF_A_TEST", secret, 1);
  order.secret = "env:BELFRY_WEBHOOK_OF_A_TEST";
  receiver.answer_with(200);
  CHECK(post(*hooks, order).status == 200);
}

TEST_CASE("webhook: loopback is not called where private addresses are off, whatever its name",
          "[platform][webhook]") {
  test::hook_receiver receiver;
  platform::webhook_options o;
  o.private_targets = false;
  const auto hooks = platform::real_webhooks(o);
  for (const auto& host : {"127.0.0.1", "localhost", "127.1", "0x7f000001", "[::ffff:127.0.0.1]"}) {
    INFO(host);
    const auto r =
        post(*hooks, to("http://" + std::string{host} + ":" + std::to_string(receiver.port()) + "/"));
    CHECK(r.status == 0);
    CHECK(r.trouble.find("may not be called") != std::string::npos);
  }
  CHECK(receiver.count() == 0);
}

TEST_CASE("webhook: where the node may call", "[platform][webhook]") {
  for (const auto* a : {"93.184.216.34", "2606:2800:220:1::1", "11.0.0.1", "172.32.0.1"}) {
    INFO(a);
    CHECK(platform::may_call(a, false));
  }
  for (const auto* a : {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
                        "::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"}) {
    INFO(a);
    CHECK(platform::may_call(a, true));
    CHECK_FALSE(platform::may_call(a, false));
  }
  for (const auto* a : {"169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "fe80::1",
                        "ff02::1", "::ffff:169.254.169.254", "", "example.org"}) {
    INFO(a);
    CHECK_FALSE(platform::may_call(a, true));
  }
}

TEST_CASE("webhook: after abandon nobody is told anything", "[platform][webhook]") {
  test::hook_receiver receiver;
  receiver.answer_nothing();
  auto told = std::make_shared<std::atomic<int>>(0);
  {
    const auto hooks = platform::real_webhooks({});
    for (int i = 0; i < 10; ++i)
      hooks->post(to(receiver.url(), 100ms), [told](const platform::webhook_report&) { ++*told; });
    hooks->abandon();
    CHECK(post(*hooks, to(receiver.url(), 300ms)).status == 0);  // by then the others would have ended
  }
  CHECK(*told == 0);
}
