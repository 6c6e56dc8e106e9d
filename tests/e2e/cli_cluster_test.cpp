// belfry cluster: certificates, without any node.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/e2e/cli.hpp"

namespace belfry::test {
namespace {

struct folder {
  folder() : path((std::filesystem::temp_directory_path() / "belfry-cluster-XXXXXX").string()) {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
  }
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

const cli& alone() {
  static const cli it("http://127.0.0.1:1");  // nobody is there, and nobody is asked
  return it;
}

}  // namespace

TEST_CASE("cli: a cluster's certificates are made, shown and never overwritten", "[e2e][cli][cluster]") {
  const folder in;
  const auto at = in / "authority";
  const auto made = alone().doc({"cluster", "init", "--name", "town", "--folder", at});
  CHECK(made.at("kind") == "authority");
  CHECK(made.at("cluster") == "town");
  CHECK(made.at("node").is_null());
  CHECK(made.at("key") == at + "/authority.key");
  CHECK(made.at("expires_soon") == false);
  const auto given = alone().doc({"cluster", "issue", "build-1", "--folder", at});
  CHECK(given.at("node") == "build-1");
  CHECK(given.at("cluster") == "town");
  CHECK(given.at("certificate") == at + "/build-1/node.crt");
  CHECK(given.at("until") < made.at("until"));
  struct stat s {};
  REQUIRE(::stat((at + "/build-1/node.key").c_str(), &s) == 0);
  CHECK((s.st_mode & 0777U) == 0600U);

  CHECK(alone()({"cluster", "init", "--name", "town", "--folder", at}).exit_code == 6);
  const auto again = alone()({"cluster", "issue", "build-1", "--folder", at});
  CHECK(again.exit_code == 6);
  CHECK(has(again.err, "nothing is overwritten"));
  CHECK(alone().line({"cluster", "issue", "build-1", "--folder", at, "--into", in / "new", "-o", "name"}) ==
        in / "new/node.crt");

  const auto all = alone().doc({"cluster", "show", at}).at("certificates");
  REQUIRE(all.size() == 2);
  CHECK(all.at(0).at("kind") == "authority");
  CHECK(all.at(1).at("node") == "build-1");
  CHECK(all.at(1).at("serial") == given.at("serial"));
  const auto one = alone()({"cluster", "show", in / "new/node.crt"});
  CHECK(one.exit_code == 0);
  CHECK(has(one.out, "build-1"));
  CHECK(one.err.empty());
}

TEST_CASE("cli: cluster show warns of what expires soon", "[e2e][cli][cluster]") {
  const folder in;
  alone().line({"cluster", "init", "--name", "town", "--folder", in.path, "--valid", "29d"});
  const auto shown = alone()({"cluster", "show", in.path});
  CHECK(shown.exit_code == 0);
  CHECK(has(shown.err, "warning"));
  CHECK(has(shown.err, "in 28d"));
  CHECK(alone().doc({"cluster", "show", in.path}).at("certificates").at(0).at("expires_soon") == true);
  // What it issues ends with it, and that is said.
  const auto given = alone()({"cluster", "issue", "north", "--folder", in.path, "--valid", "1y"});
  CHECK(given.exit_code == 0);
  CHECK(has(given.err, "the authority ends then"));
}

TEST_CASE("cli: cluster refuses what will not do and says what would", "[e2e][cli][cluster]") {
  const folder in;
  const auto refused = [&](std::vector<std::string> words, int code, const std::string& said) {
    words.insert(words.begin(), "cluster");
    const auto end = alone()(words);
    INFO(end.err);
    CHECK(end.exit_code == code);
    CHECK(has(end.err, said));
    CHECK(end.out.empty());
  };
  const auto at = in / "a";
  refused({"init", "--folder", at}, 2, "--name");
  refused({"init", "--name", "Town", "--folder", at}, 2, "a-z");
  refused({"init", "--name", "town", "--folder", at, "--valid", "soon"}, 2, "--valid");
  refused({"init", "--name", "town", "--folder", at, "--valid", "0y"}, 2, "--valid");
  refused({"init", "--name", "town", "--folder", at, "--keys", "2"}, 2, "--keys");
  CHECK_FALSE(std::filesystem::exists(at));
  refused({"issue", "north", "--folder", at}, 2, "belfry cluster init");
  refused({"show", at}, 5, "not there");
  alone().line({"cluster", "init", "--name", "town", "--folder", at});
  refused({"issue", "../north", "--folder", at}, 2, "a-z");
  refused({"issue", "--folder", at}, 2, "NODE");
  refused({"show", at + "/authority.key"}, 2, "no certificate");
  std::filesystem::permissions(at + "/authority.key", std::filesystem::perms{0644});
  refused({"issue", "north", "--folder", at}, 2, "chmod 600");
  CHECK(alone()({"cluster", "init", "--help"}).exit_code == 0);
}

}  // namespace belfry::test
