#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;

namespace {

core::log_line line(core::run_id run, std::uint32_t attempt, std::uint64_t number,
                    std::string text = "hello") {
  return {run,
          attempt,
          number,
          start,
          number % 2 == 0 ? core::log_stream::err : core::log_stream::out,
          std::move(text)};
}

std::vector<std::uint64_t> numbers(const st::log_page& page) {
  std::vector<std::uint64_t> n;
  for (const auto& l : page.lines) n.push_back(l.attempt * 100 + l.number);
  return n;
}
using list = std::vector<std::uint64_t>;

}  // namespace

TEMPLATE_TEST_CASE("logs: read by attempt, from a line on, the last ones, of all attempts", "[logs]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto held = f.claim(id);
  f.does(st::append_log{{line(id, 1, 1), line(id, 1, 2, ""), line(id, 1, 3, "gr\xC3\xBC\xC3\x9F")}});
  f.does(st::append_log{{line(id, 1, 4), line(id, 2, 1), line(id, 2, 2)}});
  auto& r = f.read();
  const auto all = r.logs(id, 0, 0, 100, 0);
  REQUIRE(all.ok());
  CHECK(numbers(*all) == list{101, 102, 103, 104, 201, 202});
  CHECK(all->lines[1] == line(id, 1, 2, ""));
  CHECK(all->lines[2] == line(id, 1, 3, "gr\xC3\xBC\xC3\x9F"));
  CHECK(all->attempt_live);
  CHECK(all->last_attempt == 1);
  CHECK(all->dropped_lines == 0);
  CHECK(numbers(*r.logs(id, 1, 2, 100, 0)) == list{103, 104});
  CHECK(numbers(*r.logs(id, 1, 0, 2, 0)) == list{101, 102});
  CHECK(numbers(*r.logs(id, 1, 0, 100, 3)) == list{102, 103, 104});
  CHECK(numbers(*r.logs(id, 0, 0, 100, 3)) == list{104, 201, 202});
  CHECK(numbers(*r.logs(id, st::log_request{0, 1, 3, 100, 0})) == list{104, 201, 202});
  CHECK(numbers(*r.logs(id, st::log_request{0, 1, 3, 2, 0})) == list{104, 201});
  CHECK(numbers(*r.logs(id, st::log_request{0, 1, 3, 2, 9})) == list{201, 202});
  CHECK(numbers(*r.logs(id, st::log_request{2, 1, 3, 9, 0})) == list{201, 202});
  CHECK(!r.logs(id, 2, 0, 100, 0)->attempt_live);
  f.step(id, f.settle(held));
  CHECK(!r.logs(id, 0, 0, 100, 0)->attempt_live);
  CHECK(r.logs(core::run_id{4}, 0, 0, 1, 0).refused_with(errc::not_found));
  CHECK(f.refuses(st::append_log{{line(id, 1, 9), line(core::run_id{4}, 1, 1)}}).code == errc::not_found);
  CHECK(numbers(*r.logs(id, 1, 3, 100, 0)) == list{104});
}

TEMPLATE_TEST_CASE(
    "logs: beyond the limit the oldest lines of an attempt go, and are counted; nothing comes back", "[logs]",
    sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  f.claim(id);
  const std::string ten(9, 'x');  // with the line end
  for (std::uint64_t n = 1; n <= 30; ++n) f.does(st::append_log{{line(id, 1, n, ten)}, 100});
  f.does(st::append_log{{line(id, 2, 1, ten)}, 100});
  auto page = f.read().logs(id, 1, 0, 100, 0);
  REQUIRE(page.ok());
  CHECK(page->lines.size() == 10);
  CHECK(page->lines.front().number == 21);
  CHECK(page->dropped_lines == 20);
  CHECK(f.read().logs(id, 1, 15, 100, 0)->dropped_lines == 5);
  CHECK(f.read().logs(id, 1, 25, 100, 0)->dropped_lines == 0);
  CHECK(f.read().logs(id, 0, 0, 100, 0)->lines.size() == 11);
  CHECK(f.does(st::append_log{{line(id, 1, 5, ten), line(id, 1, 30, ten)}, 100}).replayed);
  CHECK(f.read().logs(id, 1, 0, 100, 0)->lines.size() == 10);
  // One line longer than all that is kept stays alone.
  f.does(st::append_log{{line(id, 1, 31, std::string(500, 'y'))}, 100});
  page = f.read().logs(id, 1, 0, 100, 0);
  REQUIRE(page->lines.size() == 1);
  CHECK(page->lines[0].number == 31);
  CHECK(page->dropped_lines == 30);
  // A set that is larger than the limit by itself.
  std::vector<core::log_line> many;
  for (std::uint64_t n = 1; n <= 3000; ++n) many.push_back(line(id, 3, n, ten));
  f.does(st::append_log{many, 1000});
  CHECK(f.read().logs(id, 3, 0, 10000, 0)->lines.size() == 100);
}
