#include "core/run/state.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <utility>

using namespace belfry::core;

TEST_CASE("run states: names and numbers are each other's inverse", "[core][run]") {
  CHECK(all_run_states().size() == run_state_count);
  std::uint8_t number = 0;
  for (const auto s : all_run_states()) {
    CHECK(static_cast<std::uint8_t>(s) == number++);
    CHECK(run_state_from(to_text(s)) == s);
  }
  CHECK(run_state_from("pending") == run_state::queued);
  CHECK(run_state_from("completed") == run_state::succeeded);
  CHECK_FALSE(run_state_from("Queued").has_value());
  CHECK_FALSE(run_state_from("").has_value());
  CHECK(to_text(static_cast<run_state>(200)) == "unknown");
}

TEST_CASE("run states: no terminal state is ever left, and every other one can be cancelled", "[core][run]") {
  for (const auto& t : transitions()) {
    CHECK_FALSE(terminal(t.from));
    CHECK(t.from != t.to);
    CHECK_FALSE(t.by.empty());
  }
  for (const auto s : all_run_states()) CHECK(legal(s, run_state::cancelled) == !terminal(s));
}

TEST_CASE("run states: the table is ordered and has each pair once", "[core][run]") {
  std::pair<run_state, run_state> before{run_state::blocked, run_state::blocked};
  for (const auto& t : transitions()) {
    CHECK(std::pair{t.from, t.to} > before);
    before = {t.from, t.to};
    CHECK(legal(t.from, t.to));
  }
  CHECK_FALSE(legal(run_state::scheduled, run_state::running));
  CHECK_FALSE(legal(run_state::retrying, run_state::claimed));
  CHECK_FALSE(legal(run_state::succeeded, run_state::queued));
}

TEST_CASE("run states: every state but the first can be reached, and an end can be reached from each",
          "[core][run]") {
  // Runs are made as blocked, scheduled, queued or skipped.
  std::set<run_state> reached{run_state::blocked, run_state::scheduled, run_state::queued,
                              run_state::skipped};
  for (std::size_t i = 0; i < run_state_count; ++i)
    for (const auto& t : transitions())
      if (reached.count(t.from) > 0) reached.insert(t.to);
  CHECK(reached.size() == run_state_count);
}

TEST_CASE("priorities and classes: names and numbers are each other's inverse", "[core][run]") {
  for (std::uint8_t i = 0; i < priority_count; ++i)
    CHECK(priority_from(to_text(static_cast<priority>(i))) == static_cast<priority>(i));
  CHECK(priority_from("critical") == priority::urgent);
  CHECK(priority_from("medium") == priority::normal);
  CHECK_FALSE(priority_from("highest").has_value());
  CHECK_FALSE(priority_from("0").has_value());
  for (std::uint8_t i = 0; i <= 8; ++i)
    CHECK(failure_class_from(to_text(static_cast<failure_class>(i))) == static_cast<failure_class>(i));
  CHECK_FALSE(failure_class_from("oops").has_value());
}
