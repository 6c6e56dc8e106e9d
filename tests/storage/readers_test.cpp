// Readers in other threads: what they see is always one committed state.
#include <atomic>
#include <thread>

#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;

TEMPLATE_TEST_CASE("readers: one in another thread sees whole commits only, while the writer goes on",
                   "[readers]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  std::shared_ptr<st::reader> other = f.store().open_reader();
  std::atomic<bool> stop{false};
  std::atomic<int> reads{0}, torn{0}, failed{0};
  std::thread looking([&] {
    // Runs are made three at a time, and every change moves all three: any other number is half a commit.
    while (!stop || reads == 0) {
      const auto page = other->list_runs({}, {500, 0, core::run_sort::oldest});
      const auto facts = other->facts();
      if (!page.ok() || !facts.ok()) {
        ++failed;
      } else {
        if (page->runs.size() % 3 != 0) ++torn;
        for (const auto n : facts->runs_by_state)
          if (n % 3 != 0) ++torn;
      }
      ++reads;
    }
  });
  for (int i = 0; i < 60; ++i) {
    std::vector<core::run_id> ids;
    for (int k = 0; k < 3; ++k) {
      const auto made = f.apply(st::insert_runs{{a_submission()}});
      if (made.ok()) ids.push_back(made->runs[0].head.id);
    }
    f.commit();
    for (const auto id : ids) CHECK(f.apply(st::step_run{id, core::cmd_cancel{"x"}}).ok());
    f.commit();
    f.store().maintain();
  }
  stop = true;
  looking.join();
  CHECK(failed == 0);
  CHECK(torn == 0);
  CHECK(f.listed({}).size() == 180);
}
