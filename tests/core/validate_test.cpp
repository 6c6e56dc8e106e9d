#include "core/run/validate.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "tests/core/a_run.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

using change = std::function<void(run_spec&)>;

std::vector<field_problem> problems_after(const change& f) {
  auto spec = *test::a_spec();
  f(spec);
  return check(spec, spec_limits{}, "/runs/3");
}

void fine(const change& f) {
  const auto found = problems_after(f);
  INFO((found.empty() ? std::string{} : found[0].pointer + ": " + found[0].detail));
  CHECK(found.empty());
}

// Exactly one problem, at this field, with words for whoever has to correct it.
void refused(const std::string& field, const change& f) {
  INFO(field);
  const auto found = problems_after(f);
  REQUIRE(found.size() == 1);
  CHECK(found[0].pointer == "/runs/3" + field);
  CHECK_FALSE(found[0].allowed.empty());
  CHECK_FALSE(found[0].detail.empty());
}

std::string letters(std::size_t n) { return std::string(n, 'x'); }

std::vector<std::string> many(std::size_t n) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < n; ++i) words.push_back("w" + std::to_string(i));
  return words;
}

}  // namespace

TEST_CASE("validate: an ordinary spec has no problem", "[core][validate]") {
  fine([](run_spec&) {});
  fine([](run_spec& s) { s.process = {}, s.process.shell = "echo hi | cat"; });
  fine([](run_spec& s) { s.process = {}, s.handler = handler_kind::none; });
}

TEST_CASE("validate: names", "[core][validate]") {
  fine([](run_spec& s) { s.name = letters(200); });
  refused("/name", [](run_spec& s) { s.name = letters(201); });
  fine([](run_spec& s) {
    s.name.clear();
    for (int i = 0; i < 200; ++i) s.name += "ö";
  });
  refused("/name", [](run_spec& s) { s.name.clear(); });
  refused("/name", [](run_spec& s) { s.name = "   "; });
  refused("/name", [](run_spec& s) { s.name = "a\nb"; });
  refused("/name", [](run_spec& s) { s.name = "\xFF"; });
}

TEST_CASE("validate: exactly one of argv and shell, and none without a process", "[core][validate]") {
  refused("/handler/argv", [](run_spec& s) { s.process.argv.clear(); });
  refused("/handler/argv", [](run_spec& s) { s.process.shell = "true"; });
  refused("/handler/argv/0", [](run_spec& s) { s.process.argv = {"", "x"}; });
  refused("/handler", [](run_spec& s) { s.handler = handler_kind::none; });
  refused("/handler/kind", [](run_spec& s) { s.handler = static_cast<handler_kind>(99); });
}

TEST_CASE("validate: arguments and environment at and above their limits", "[core][validate]") {
  fine([](run_spec& s) { s.process.argv = many(256); });
  refused("/handler/argv", [](run_spec& s) { s.process.argv = many(257); });
  fine([](run_spec& s) { s.process.argv = {letters(128 * 1024 - 1)}; });
  refused("/handler", [](run_spec& s) { s.process.argv = {letters(128 * 1024)}; });
  const auto environment = [](std::size_t n) {
    return [n](run_spec& s) {
      for (std::size_t i = 0; i < n; ++i) s.process.env.emplace_back("V" + std::to_string(i), "1");
    };
  };
  fine(environment(256));
  refused("/handler/env", environment(257));
  refused("/handler", [](run_spec& s) { s.process.env.emplace_back("A", letters(128 * 1024)); });
}

TEST_CASE("validate: what the operating system cannot take", "[core][validate]") {
  const std::string with_nul{"a\0b", 3};
  refused("/handler/argv/1", [&](run_spec& s) { s.process.argv = {"echo", with_nul}; });
  refused("/handler/shell", [&](run_spec& s) { s.process.argv.clear(), s.process.shell = with_nul; });
  refused("/handler/env/A", [&](run_spec& s) { s.process.env = {{"A", with_nul}}; });
  refused("/handler/env/A=B", [](run_spec& s) { s.process.env = {{"A=B", "1"}}; });
  refused("/handler/env/", [](run_spec& s) { s.process.env = {{"", "1"}}; });
  refused("/handler/env/A", [](run_spec& s) { s.process.env = {{"A", "1"}, {"A", "2"}}; });
  refused("/handler/env/~0~1=", [](run_spec& s) { s.process.env = {{"~/=", "1"}}; });
  refused("/handler/cwd", [](run_spec& s) { s.process.cwd = "srv"; });
  refused("/handler/cwd", [](run_spec& s) { s.process.cwd = "/" + letters(4096); });
  fine([](run_spec& s) { s.process.cwd = "/" + letters(4095); });
}

TEST_CASE("validate: the value of a variable is never repeated, it may be a secret", "[core][validate]") {
  const std::string secret{"hunter2\0", 8};
  for (const auto& p : problems_after([&](run_spec& s) { s.process.env = {{"A", secret}, {"A", secret}}; })) {
    CHECK(p.value.find("hunter2") == std::string::npos);
    CHECK(p.detail.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("validate: limits of the process", "[core][validate]") {
  fine([](run_spec& s) { s.process.stdin_text = letters(64 * 1024); });
  refused("/handler/stdin", [](run_spec& s) { s.process.stdin_text = letters(64 * 1024 + 1); });
  fine([](run_spec& s) { s.process.cpu_limit = 5s; });
  refused("/handler/cpu_limit", [](run_spec& s) { s.process.cpu_limit = 1500ms; });
  refused("/handler/cpu_limit", [](run_spec& s) { s.process.cpu_limit = -1s; });
  fine([](run_spec& s) { s.process.success_codes = {0, 3}, s.process.retryable_codes = {75}; });
  refused("/handler/retryable_codes",
          [](run_spec& s) { s.process.success_codes = {3}, s.process.retryable_codes = {3}; });
}

TEST_CASE("validate: payload and metadata", "[core][validate]") {
  fine([](run_spec& s) { s.payload = letters(64 * 1024); });
  refused("/payload", [](run_spec& s) { s.payload = letters(64 * 1024 + 1); });
  refused("/payload", [](run_spec& s) { s.payload = "\"\xFF\""; });
  fine([](run_spec& s) { s.metadata = letters(16 * 1024); });
  refused("/metadata", [](run_spec& s) { s.metadata = letters(16 * 1024 + 1); });
  refused("/metadata", [](run_spec& s) { s.metadata = "\xC0"; });
}

TEST_CASE("validate: words at and above their limit", "[core][validate]") {
  struct {
    const char* field;
    std::string run_spec::*member;
  } own[] = {{"/lane", &run_spec::lane}, {"/concurrency_key", &run_spec::concurrency_key}};
  for (const auto& w : own) {
    fine([&](run_spec& s) { s.*w.member = letters(100); });
    refused(w.field, [&](run_spec& s) { s.*w.member = letters(101); });
    refused(w.field, [&](run_spec& s) { s.*w.member = "a\tb"; });
  }
  struct {
    const char* field;
    std::string requirement::*member;
  } scope[] = {{"/workspace", &requirement::workspace}, {"/channel", &requirement::channel}};
  for (const auto& w : scope) {
    fine([&](run_spec& s) { s.needs.*w.member = letters(100); });
    refused(w.field, [&](run_spec& s) { s.needs.*w.member = letters(101); });
  }
}

TEST_CASE("validate: sets of words at and above their limits", "[core][validate]") {
  struct {
    const char* field;
    std::vector<std::string> requirement::*member;
  } sets[] = {{"/capabilities", &requirement::capabilities},
              {"/preferred", &requirement::preferred},
              {"/agent_types", &requirement::agent_types}};
  for (const auto& w : sets) {
    fine([&](run_spec& s) { s.needs.*w.member = many(32); });
    refused(w.field, [&](run_spec& s) { s.needs.*w.member = many(33); });
    fine([&](run_spec& s) { s.needs.*w.member = {letters(100)}; });
    refused(w.field, [&](run_spec& s) { s.needs.*w.member = {letters(101)}; });
    refused(w.field, [&](run_spec& s) { s.needs.*w.member = {""}; });
  }
  fine([](run_spec& s) { s.tags = many(32); });
  refused("/tags", [](run_spec& s) { s.tags = many(33); });
  fine([](run_spec& s) { s.tags = {letters(64)}; });
  refused("/tags", [](run_spec& s) { s.tags = {letters(65)}; });
  refused("/person_only",
          [](run_spec& s) { s.needs.person_only = true, s.needs.exact_session = session_id{1}; });
}

TEST_CASE("validate: numbers and durations at and beyond their ranges", "[core][validate]") {
  fine([](run_spec& s) { s.timeout = 0s; });
  fine([](run_spec& s) { s.timeout = 365 * 24h; });
  refused("/timeout", [](run_spec& s) { s.timeout = 365 * 24h + 1us; });
  refused("/timeout", [](run_spec& s) { s.timeout = -1us; });
  fine([](run_spec& s) { s.grace = 1h; });
  refused("/grace", [](run_spec& s) { s.grace = 1h + 1us; });
  refused("/grace", [](run_spec& s) { s.grace = -1us; });
  fine([](run_spec& s) { s.concurrency_limit = 10'000; });
  refused("/concurrency_limit", [](run_spec& s) { s.concurrency_limit = 0; });
  refused("/concurrency_limit", [](run_spec& s) { s.concurrency_limit = 10'001; });
  refused("/priority", [](run_spec& s) { s.prio = static_cast<priority>(4); });
}

TEST_CASE("validate: the retry policy at and beyond its ranges", "[core][validate]") {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  fine([](run_spec& s) { s.retry.max_attempts = 1; });
  fine([](run_spec& s) { s.retry.max_attempts = 1000; });
  refused("/retry/max_attempts", [](run_spec& s) { s.retry.max_attempts = 0; });
  refused("/retry/max_attempts", [](run_spec& s) { s.retry.max_attempts = 1001; });
  fine([](run_spec& s) { s.retry.max_losses = 100; });
  refused("/retry/max_losses", [](run_spec& s) { s.retry.max_losses = 0; });
  refused("/retry/max_losses", [](run_spec& s) { s.retry.max_losses = 101; });
  fine([](run_spec& s) { s.retry.base = 0s; });
  fine([](run_spec& s) { s.retry.base = 24h, s.retry.cap = 7 * 24h; });
  refused("/retry/base", [](run_spec& s) { s.retry.base = 24h + 1us, s.retry.cap = 7 * 24h; });
  refused("/retry/base", [](run_spec& s) { s.retry.base = -1us; });
  refused("/retry/cap", [](run_spec& s) { s.retry.cap = 1ms; });
  refused("/retry/cap", [](run_spec& s) { s.retry.cap = 7 * 24h + 1us; });
  fine([](run_spec& s) { s.retry.multiplier = 1.0; });
  fine([](run_spec& s) { s.retry.multiplier = 10.0; });
  refused("/retry/multiplier", [](run_spec& s) { s.retry.multiplier = 0.99; });
  refused("/retry/multiplier", [](run_spec& s) { s.retry.multiplier = 10.01; });
  refused("/retry/multiplier", [&](run_spec& s) { s.retry.multiplier = nan; });
  fine([](run_spec& s) { s.retry.jitter = 1.0; });
  refused("/retry/jitter", [](run_spec& s) { s.retry.jitter = 1.01; });
  refused("/retry/jitter", [](run_spec& s) { s.retry.jitter = -0.01; });
  refused("/retry/jitter", [&](run_spec& s) { s.retry.jitter = nan; });
}

TEST_CASE("validate: traceparent and hook", "[core][validate]") {
  fine([](run_spec& s) { s.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"; });
  for (const char* text : {"x", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    refused("/traceparent", [&](run_spec& s) { s.traceparent = text; });
  fine([](run_spec& s) { s.hook.shell = "notify"; });
  refused("/hook/argv", [](run_spec& s) { s.hook.shell = "notify", s.hook.argv = {"notify"}; });
  refused("/hook/cwd", [](run_spec& s) { s.hook.shell = "notify", s.hook.cwd = "tmp"; });
}

TEST_CASE("validate: all mistakes are told at once", "[core][validate]") {
  CHECK(problems_after([](run_spec& s) {
          s.name.clear();
          s.timeout = -1s;
          s.retry.max_attempts = 0;
          s.tags = {""};
        }).size() == 4);
}

TEST_CASE("validate: the canonical form is trimmed, lower case, sorted and without repetition",
          "[core][validate]") {
  auto spec = *test::a_spec();
  spec.name = "  thumbs ";
  spec.lane = " a ";
  spec.needs.capabilities = {" GPU", "cuda", "gpu "};
  spec.needs.agent_types = {"Python ", "Python"};
  spec.tags = {"b", "a", " b"};
  spec.process.success_codes = {3, 0, 3};
  normalise(spec);
  CHECK(spec.name == "thumbs");
  CHECK(spec.lane == "a");
  CHECK(spec.needs.capabilities == std::vector<std::string>{"cuda", "gpu"});
  CHECK(spec.needs.agent_types == std::vector<std::string>{"Python"});
  CHECK(spec.tags == std::vector<std::string>{"a", "b"});
  CHECK(spec.process.success_codes == std::vector<std::uint8_t>{0, 3});
  const auto once = spec;
  normalise(spec);
  CHECK(spec == once);
}
