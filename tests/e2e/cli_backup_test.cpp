// Backups and retention as an operator does them: with a node that goes on working, and into a folder of its
// own.
#include <catch2/catch.hpp>

#include <filesystem>

#include "tests/e2e/cli.hpp"

namespace belfry::test {

TEST_CASE("cli: a backup of a working node is verified, restored and served", "[e2e][cli][backup]") {
  const scratch_folder folder;
  real_node node;
  const cli belfry(node);
  const auto done = node.submit_shell("echo precious");
  node.wait_finished(done);
  const auto waiting = node.submit_shell("echo later", {{"delay", "1h"}});
  const auto file = folder / "copy.db";
  const auto made = belfry.doc({"backup", "create", file});
  CHECK(made.at("path") == file);
  CHECK(made.at("runs") == 2);
  CHECK(made.at("bytes") == std::filesystem::file_size(file));
  const auto after = node.submit_shell("true");

  const auto again = belfry({"backup", "create", file});
  CHECK(again.exit_code == 6);
  CHECK(has(again.err, "exists already"));
  CHECK(belfry({"backup", "create", folder / "no/such/copy.db"}).exit_code == 2);
  CHECK(belfry.doc({"backup", "verify"}).at("sound") == true);
  CHECK(has(belfry({"backup", "verify", file}).out, "is sound: 2 runs"));
  CHECK(belfry({"backup", "verify", folder / "nobody"}).exit_code == 5);

  // Not into the folder of a node that runs, nor over a store without saying so.
  const auto held = belfry({"backup", "restore", file, "--data", node.data(), "--replace"});
  CHECK(held.exit_code == 7);
  CHECK(has(held.err, "another node has the data folder"));
  node.kill9();
  const auto there = belfry({"backup", "restore", file, "--data", node.data()});
  CHECK(there.exit_code == 6);
  CHECK(has(there.err, "--replace"));
  const auto back = belfry({"backup", "restore", file, "--data", node.data(), "--replace"});
  INFO(back.err);
  REQUIRE(back.exit_code == 0);
  CHECK(has(back.out, "before-restore-"));
  CHECK_FALSE(std::filesystem::exists(node.data() + "/belfry.db-wal"));  // it would be replayed into the copy
  node.start();
  CHECK(node.run(done).at("state") == "succeeded");
  CHECK(node.output(done) == "precious");
  CHECK(node.run(waiting).at("state") == "scheduled");
  CHECK(node.http().get("/v1/runs/" + after).status == 404);
  CHECK(node.wait_finished(node.submit_shell("true")).at("state") == "succeeded");
}

TEST_CASE("cli: a journal that was left behind is not replayed into a restored store", "[e2e][cli][backup]") {
  const scratch_folder folder;
  real_node node;
  const cli belfry(node);
  const auto file = folder / "copy.db";
  (void)belfry.doc({"backup", "create", file});
  const auto after = node.submit_shell("true");
  node.wait_finished(after);
  node.kill9();
  std::filesystem::remove(node.data() + "/belfry.db");
  CHECK(belfry({"backup", "restore", file, "--data", node.data()}).exit_code == 6);
  REQUIRE(belfry({"backup", "restore", file, "--data", node.data(), "--replace"}).exit_code == 0);
  node.start();
  CHECK(node.http().get("/v1/runs/" + after).status == 404);
  CHECK(cli(node).doc({"backup", "verify"}).at("sound") == true);  // it has another port now
}

TEST_CASE("cli: a restore that is killed between its two renames loses nothing, and is done again",
          "[e2e][cli][backup]") {
  const scratch_folder folder;
  real_node node;
  const cli belfry(node);
  const auto early = node.submit_shell("true");
  node.wait_finished(early);
  const auto file = folder / "copy.db";
  (void)belfry.doc({"backup", "create", file});
  const auto late = node.submit_shell("true");  // only in the journal of the store that is set aside
  node.wait_finished(late);
  node.kill9();
  const auto store = node.data() + "/belfry.db";
  const auto aside = store + ".before-restore-1795255200";
  REQUIRE(std::filesystem::exists(store + "-wal"));
  std::filesystem::rename(store, aside);  // and here it was killed

  // A node does not make an empty store and drop the journal.
  const auto refused = belfry({"serve", "--data", node.data(), "--listen", "127.0.0.1:0"});
  CHECK(refused.exit_code != 0);
  CHECK(has(refused.err, "belfry.db-wal"));
  CHECK(has(refused.err, "restore"));
  REQUIRE(std::filesystem::exists(store + "-wal"));
  CHECK_FALSE(std::filesystem::exists(store));

  REQUIRE(belfry({"backup", "restore", file, "--data", node.data(), "--replace"}).exit_code == 0);
  CHECK(std::filesystem::exists(aside + "-wal"));  // beside the store that it belongs to
  node.start();
  CHECK(node.run(early).at("state") == "succeeded");
  CHECK(node.http().get("/v1/runs/" + late).status == 404);
  node.kill9();

  // The store that was set aside is whole.
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(store + end);
  std::filesystem::rename(aside, store);
  std::filesystem::rename(aside + "-wal", store + "-wal");
  node.start();
  CHECK(node.run(late).at("state") == "succeeded");
  CHECK(cli(node).doc({"backup", "verify"}).at("sound") == true);
}

TEST_CASE("cli: a damaged backup is told and never restored", "[e2e][cli][backup]") {
  const scratch_folder folder;
  const auto file = folder / "copy.db";
  write_text(file, "these are no pages of a database, whatever the name says");
  const cli belfry("");
  CHECK(belfry({"backup", "verify", file}).exit_code == 1);
  const auto refused = belfry({"backup", "restore", file, "--data", folder / "data"});
  CHECK(refused.exit_code == 1);
  CHECK_FALSE(std::filesystem::exists(folder / "data/belfry.db"));
}

TEST_CASE("cli: retention on demand shows what would go, asks, and keeps what is open",
          "[e2e][cli][retention]") {
  real_node node;
  const cli belfry(node);
  const auto old = node.submit_shell("true");
  const auto dead = node.submit_shell("exit 1", {{"retry", {{"max_attempts", 1}}}});
  node.wait_finished(old);
  node.wait_finished(dead);
  const auto open = node.submit_shell("true", {{"delay", "1h"}});
  CHECK(belfry.doc({"retention", "run", "--dry-run"}).at("runs") == 0);
  const auto would = belfry.doc({"retention", "run", "--keep", "1us", "--dry-run"});
  CHECK(would.at("ids") == json::array({old}));
  CHECK(node.run(old).at("state") == "succeeded");
  const auto asked = belfry({"retention", "run", "--keep", "1us"});
  CHECK(asked.exit_code == 2);
  CHECK(has(asked.err, "--yes"));
  CHECK(has(belfry({"retention", "run", "--keep", "1us", "--yes"}).out, "removed 1 run"));
  CHECK(node.http().get("/v1/runs/" + old).status == 404);
  CHECK(node.run(dead).at("state") == "failed");
  CHECK(belfry.doc({"retention", "run", "--keep", "1us", "--keep-dead", "1us", "--yes"}).at("runs") == 1);
  CHECK(node.http().get("/v1/runs/" + dead).status == 404);
  CHECK(node.run(open).at("state") == "scheduled");
  CHECK(belfry({"retention", "run", "--keep", "soon", "--dry-run"}).exit_code == 2);
}

}  // namespace belfry::test
