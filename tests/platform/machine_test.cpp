#include <sys/resource.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <thread>

#include "platform/file_limit.hpp"
#include "platform/ports/clock.hpp"
#include "platform/ports/files.hpp"
#include "tests/platform/live_processes.hpp"

using namespace belfry;
using namespace belfry::tests;

namespace {

std::string hex(const core::token_hash& hash) {
  std::string text;
  for (const auto byte : hash) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

}  // namespace

TEST_CASE("clock: now is today, steady never goes back", "[platform][clock]") {
  const auto time = platform::system_clock();
  CHECK(time->now() > core::from_micros(1'700'000'000'000'000));
  auto last = time->steady();
  for (int i = 0; i < 1000; ++i) {
    const auto next = time->steady();
    CHECK(next >= last);
    last = next;
  }
}

TEST_CASE("sha256: the vectors of FIPS 180-4, on any thread", "[platform][random]") {
  CHECK(hex(platform::sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(platform::sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&right] {
      for (int k = 0; k < 1000; ++k)
        if (hex(platform::sha256("abc")).substr(0, 8) == "ba7816bf") ++right;
    });
  for (auto& t : threads) t.join();
  CHECK(right == 4000);
}

TEST_CASE("tokens: 43 characters of base64url, all different, hash of the text", "[platform][random]") {
  for (const auto& random : {platform::system_randomness(), platform::seeded_randomness(7)}) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
      const auto token = random->token();
      CHECK(token.text.size() == 43);
      CHECK(token.text.find_first_not_of(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos);
      CHECK(token.hash == platform::sha256(token.text));
      seen.insert(token.text);
    }
    CHECK(seen.size() == 1000);
  }
}

TEST_CASE("randomness: the seeded one repeats, the real one does not, units are in [0, 1)",
          "[platform][random]") {
  const auto a = platform::seeded_randomness(42);
  const auto b = platform::seeded_randomness(42);
  for (int i = 0; i < 100; ++i) CHECK(a->bits() == b->bits());
  CHECK(a->token().text == b->token().text);
  const auto c = platform::system_randomness();
  const auto d = platform::system_randomness();
  CHECK(c->bits() != d->bits());
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double u = c->unit();
    REQUIRE((u >= 0 && u < 1));
    sum += u;
  }
  CHECK(sum / 10'000 == Approx(0.5).margin(0.05));
}

TEST_CASE("files: written whole with their mode, read with a limit", "[platform][files]") {
  const temporary_folder folder;
  const std::string path = folder / "note";
  REQUIRE(platform::write_file_atomically(path, "first", 0640).ok());
  REQUIRE(platform::write_file_atomically(path, "second", 0600).ok());
  CHECK(platform::read_file(path, 100).value() == "second");
  CHECK(platform::read_file(path, 5).refused_with(core::errc::too_large));
  struct stat s {};
  REQUIRE(::stat(path.c_str(), &s) == 0);
  CHECK((s.st_mode & 0777U) == 0600U);
  CHECK(platform::list_folder(folder.path()) ==
        std::vector<std::string>{"note"});  // nothing temporary is left
  CHECK(platform::read_file(folder / "missing", 5).refused_with(core::errc::not_found));
  CHECK(platform::write_file_atomically(folder / "no/such/folder", "x").refused_with(core::errc::not_found));
  CHECK(platform::read_file(folder.path(), 5).ok() == false);
}

TEST_CASE("folders: made with their parents; a file in the way is said", "[platform][files]") {
  const temporary_folder folder;
  CHECK(platform::make_folder(folder / "a/b/c").ok());
  CHECK(platform::make_folder(folder / "a/b/c").ok());
  folder.write("file", "");
  CHECK_FALSE(platform::make_folder(folder / "file").ok());
  CHECK_FALSE(platform::make_folder(folder / "file/below").ok());
  CHECK(platform::list_folder(folder / "nowhere").empty());
}

TEST_CASE("machine: its figures are there", "[platform][files]") {
  CHECK(platform::disk_free("/tmp") > 0);
  CHECK(platform::disk_free("/no/such/folder") == 0);
  CHECK(platform::resident_memory() > 1'000'000);
  CHECK(platform::cpu_used() > core::span{0});
  CHECK_FALSE(platform::host_name().empty());
  CHECK_FALSE(platform::user_name().empty());
  CHECK(platform::process_id() == ::getpid());
}

TEST_CASE("file limit: the node takes all it may, a child gets what the node was started with",
          "[platform][process]") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit low = before;
  low.rlim_cur = 777;
  if (before.rlim_max < 1000) return;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  platform::raise_file_limit();
  rlimit now{};
  ::getrlimit(RLIMIT_NOFILE, &now);
  CHECK(now.rlim_cur == before.rlim_max);
  {
    live_processes node;
    const auto done = node.run(shell("while [ $(ulimit -Sn) != 777 ]; do sleep 0.01; done; ulimit -Hn"));
    CHECK(done.text() == std::to_string(before.rlim_max) + "\n");
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
}
