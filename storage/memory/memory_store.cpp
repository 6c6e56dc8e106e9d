// MEMORY STORE: the reference. The same rules as every store; a commit publishes the state of the tables.
#include <algorithm>

#include "storage/apply/engine.hpp"
#include "storage/contract/store.hpp"
#include "storage/memory/memory_reader.hpp"
#include "storage/memory/memory_rows.hpp"

namespace belfry::storage {
namespace memory {
namespace {

class memory_store final : public store {
 public:
  memory_store(std::shared_ptr<memory_disk> disk, core::instant now, std::uint8_t node)
      : disk_{std::move(disk)} {
    rows_.now = *disk_->read();
    core::run_id greatest;
    rows_.now.runs.down([&](core::run_id id, const run_row&) {
      greatest = id;
      return false;
    });
    if (rows_.now.boots == 0) rows_.now.created_at = now;
    ++rows_.now.boots;
    auto& booted = rows_.now.booted_at;
    booted.insert(booted.begin(), now);
    if (booted.size() > 10) booted.pop_back();
    engine_ = std::make_unique<engine>(rows_, node, rows_.now.counted, greatest);
    publish();
  }
  ~memory_store() override { disk_->give_back(); }

  core::result<receipt> apply(const change_set& set) override {
    if (broken_) return *broken_;
    try {
      open_ = true;
      return engine_->apply(set);
    } catch (const std::exception& e) {
      rollback();
      return *(broken_ = core::failure{core::errc::internal, e.what(), {}, {}});
    }
  }
  core::result<void> commit() override {
    if (broken_) return *std::exchange(broken_, std::nullopt);
    if (!open_) return {};
    rows_.now.counted = engine_->pending();
    publish();
    engine_->committed();
    open_ = false;
    return {};
  }
  void rollback() override {
    rows_.now = *disk_->read();
    engine_->given_up();
    broken_.reset();
    open_ = false;
  }

  core::result<open_page> scan_open(core::run_id after, std::size_t limit) override {
    open_page page;
    rows_.now.open.up(core::run_id{after.value + 1}, [&](core::run_id id, const nothing&) {
      if (page.items.size() == limit) {
        page.next = page.items.empty() ? core::run_id{} : page.items.back().head.id;
        return false;
      }
      const auto row = rows_.now.runs.find(id);
      const auto job = rows_.now.jobs.find(row->head.job);
      const auto holder = rows_.now.sessions.find(row->head.held.holder);
      page.items.push_back({row->head, row->handler, job ? job_limit_of(*job->definition) : 0,
                            holder ? holder->agent_type : std::string{}});
      return true;
    });
    return page;
  }
  core::result<core::limit_options> limits(const core::limit_options& configured) override {
    return rows_.now.limits.value_or(configured);
  }
  core::result<core::pause_book> pauses() override {
    auto book = rows_.find_pauses();
    book.delays = engine_->delays();
    return book;
  }
  void follow(const store_rules& rules) override { engine_->follow(rules); }
  core::pressure pressure(core::instant now) const override { return engine_->pressure(now); }
  core::result<std::vector<core::event>> events_between(std::int64_t first, std::int64_t last) override {
    std::vector<core::event> found;
    disk_->read()->events.up(first, [&](std::int64_t seq, const core::event& e) {
      if (seq <= last) found.push_back(e);
      return seq < last;
    });
    return found;
  }
  std::int64_t last_event() const override { return engine_->durable().last_event; }
  std::unique_ptr<reader> open_reader() override { return std::make_unique<memory_reader>(disk_); }

 private:
  void publish() { disk_->write(std::make_shared<const tables>(rows_.now)); }

  std::shared_ptr<memory_disk> disk_;
  memory_rows rows_;
  std::unique_ptr<engine> engine_;
  std::optional<core::failure> broken_;
  bool open_ = false;
};

}  // namespace
}  // namespace memory

std::shared_ptr<memory_disk> make_memory_disk() { return std::make_shared<memory_disk>(); }

core::result<std::unique_ptr<store>> open_memory(std::shared_ptr<memory_disk> disk, core::instant now,
                                                 std::uint8_t node) {
  if (!disk->take())
    return core::failure{core::errc::store_held, "the memory store is in use already", {}, {}};
  return std::unique_ptr<store>{std::make_unique<memory::memory_store>(std::move(disk), now, node)};
}

}  // namespace belfry::storage
