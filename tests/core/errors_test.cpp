#include "core/errors/result.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace belfry::core;

TEST_CASE("errors: every code has words of its own and can be found again by its text", "[core][errors]") {
  std::set<std::string_view> codes;
  std::set<std::string_view> titles;
  std::uint16_t before = 0;
  for (const auto e : all_errcs()) {
    const auto code = code_of(e);
    INFO(code);
    CHECK(static_cast<std::uint16_t>(e) == before + 1);  // in order and without a gap: nothing was forgotten
    before = static_cast<std::uint16_t>(e);
    CHECK(codes.insert(code).second);
    CHECK(titles.insert(title_of(e)).second);
    CHECK(errc_from(code) == e);
    CHECK(code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    CHECK(title_of(e).size() >= 10);
    CHECK(title_of(e).size() <= 60);
    CHECK(title_of(e).find('\n') == std::string_view::npos);
    CHECK(help_of(e).size() >= 60);
    CHECK(help_of(e).back() == '.');
  }
  CHECK(all_errcs().size() == 32);
}

TEST_CASE("errors: numbers that travel between nodes are never changed", "[core][errors]") {
  CHECK(static_cast<int>(errc::internal) == 1);
  CHECK(static_cast<int>(errc::invalid_transition) == 9);
  CHECK(static_cast<int>(errc::stale_lease) == 10);
  CHECK(static_cast<int>(errc::conflict) == 11);
  CHECK(static_cast<int>(errc::timed_out) == 24);
  CHECK(static_cast<int>(errc::precondition_failed) == 30);
  CHECK(static_cast<int>(errc::paused) == 31);
}

TEST_CASE("errors: what passes by itself may be tried again, what needs another request may not",
          "[core][errors]") {
  for (const auto e : {errc::overloaded, errc::unavailable, errc::storage_full, errc::timed_out,
                       errc::aborted, errc::idempotency_in_progress, errc::lease_held, errc::store_held})
    CHECK(retryable(e));
  for (const auto e :
       {errc::malformed, errc::invalid, errc::stale_lease, errc::conflict, errc::not_found, errc::forbidden,
        errc::idempotency_mismatch, errc::invalid_transition, errc::schema_newer})
    CHECK_FALSE(retryable(e));
}

TEST_CASE("errors: unknown text and unknown numbers are survived", "[core][errors]") {
  CHECK_FALSE(errc_from("").has_value());
  CHECK_FALSE(errc_from("Stale_Lease").has_value());
  CHECK(code_of(static_cast<errc>(60'000)) == "internal");
}

TEST_CASE("errors: a result is either the value or the failure", "[core][errors]") {
  const result<int> good{7};
  const result<int> bad{failure{errc::not_found, "gone", {}, {}}};
  CHECK(good.ok());
  CHECK(*good == 7);
  CHECK_FALSE(good.refused_with(errc::not_found));
  CHECK_FALSE(bad.ok());
  CHECK(bad.refused_with(errc::not_found));
  CHECK_FALSE(bad.refused_with(errc::invalid));
  CHECK(bad.error().text == "gone");
  CHECK(result<void>{}.ok());
  CHECK_FALSE(result<void>{failure{}}.ok());
}
