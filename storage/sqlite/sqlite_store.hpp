// SQLITE STORE: the transaction around the rules. Set by set into one transaction, then one commit with sync.
//
// A set whose writes fail in the middle (disk full, damage) takes the whole open transaction with it, and
// every set until the commit is told the same: nothing of a transaction is ever half there.
#pragma once

#include <memory>
#include <optional>

#include "storage/apply/engine.hpp"
#include "storage/contract/open.hpp"
#include "storage/contract/store.hpp"
#include "storage/sqlite/store_file.hpp"
#include "storage/sqlite/writer.hpp"

namespace belfry::storage::sqlite {

class sqlite_store final : public store {
 public:
  sqlite_store(sqlite_options options, store_file file);
  ~sqlite_store() override;

  // Once, before anything else: counts the boot and reads the tallies.
  void boot(core::instant now);

  core::result<receipt> apply(const change_set& set) override;
  core::result<void> commit() override;
  void rollback() override;
  core::result<open_page> scan_open(core::run_id after, std::size_t limit) override;
  core::result<core::limit_options> limits(const core::limit_options& configured) override;
  core::result<core::pause_book> pauses() override;
  core::result<std::vector<core::event>> events_between(std::int64_t first, std::int64_t last) override;
  std::int64_t last_event() const override { return engine_->durable().last_event; }
  void follow(const store_rules& rules) override { engine_->follow(rules); }
  core::pressure pressure(core::instant now) const override { return engine_->pressure(now); }
  void maintain() override;
  std::unique_ptr<reader> open_reader() override;

 private:
  std::optional<core::failure> open_transaction();
  void give_up();
  static int after_commit(void* self, sqlite3* db, const char* name, int pages);

  sqlite_options options_;
  store_file file_;
  writer writer_;
  std::unique_ptr<engine> engine_;
  bool open_ = false;
  bool room_ = true;                     // the disk has more than the reserve
  std::optional<core::failure> broken_;  // what the open transaction died of
  int journal_pages_ = 0;
};

}  // namespace belfry::storage::sqlite
