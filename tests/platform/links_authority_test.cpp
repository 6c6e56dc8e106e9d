// The authority: what it makes, and what it refuses to make or to use.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/platform/links_support.hpp"

using namespace belfry;
using namespace belfry::links_test;

namespace {

unsigned mode_of(const std::string& path) {
  struct stat s {};
  REQUIRE(::stat(path.c_str(), &s) == 0);
  return s.st_mode & 0777U;
}

void refuses_to_open(const platform::secure_link_options& o, const std::string& word) {
  const auto made = platform::open_secure_links(o);
  REQUIRE_FALSE(made.ok());
  INFO(made.error().text);
  CHECK(made.error().code == core::errc::invalid);
  CHECK(made.error().text.find(word) != std::string::npos);
}

}  // namespace

TEST_CASE("authority: it and its nodes are made with keys that only the owner may read",
          "[platform][links]") {
  const scratch in;
  const auto now = wall_now();
  const auto made = platform::make_authority(in.path, "town", now, 24h * 3650);
  REQUIRE(made.ok());
  CHECK(made->cluster == "town");
  CHECK(made->node.empty());
  CHECK(made->from <= now - 59min);
  CHECK(made->until > now + 24h * 3649);
  CHECK(mode_of(in / "authority.key") == 0600);
  CHECK(mode_of(in / "authority.crt") == 0644);

  const auto node = platform::issue_node(in.path, "north", in / "n", now, 24h * 365);
  REQUIRE(node.ok());
  CHECK(node->cluster == "town");
  CHECK(node->node == "north");
  CHECK(node->serial.size() == 32);
  CHECK(node->serial != made->serial);
  CHECK(mode_of(in / "n/node.key") == 0600);
  CHECK(mode_of(in / "n/node.crt") == 0644);
  CHECK(mode_of(in / "n/authority.crt") == 0644);
  const auto read = platform::read_certificate(in / "n/node.crt");
  REQUIRE(read.ok());
  CHECK(read->node == "north");
  CHECK(read->serial == node->serial);
  CHECK(read->until == node->until);
  for (const auto& left_over : std::filesystem::recursive_directory_iterator(in.path))
    CHECK((left_over.is_directory() || left_over.path().extension() == ".crt" ||
           left_over.path().extension() == ".key"));
}

TEST_CASE("authority: nothing is overwritten", "[platform][links]") {
  const scratch in;
  REQUIRE(platform::make_authority(in.path, "town", wall_now(), 24h).ok());
  CHECK(platform::make_authority(in.path, "town", wall_now(), 24h).refused_with(core::errc::conflict));
  REQUIRE(platform::issue_node(in.path, "north", in / "n", wall_now(), 1h).ok());
  const auto before = platform::read_certificate(in / "n/node.crt");
  CHECK(platform::issue_node(in.path, "north", in / "n", wall_now(), 1h).refused_with(core::errc::conflict));
  CHECK(platform::read_certificate(in / "n/node.crt")->serial == before->serial);

  // Half of a pair is there: nothing is added to it.
  std::filesystem::remove(in / "n/node.crt");
  CHECK(platform::issue_node(in.path, "north", in / "n", wall_now(), 1h).refused_with(core::errc::conflict));
  // A renewal beside the authority that is known already.
  std::filesystem::remove(in / "n/node.key");
  CHECK(platform::issue_node(in.path, "north", in / "n", wall_now(), 1h).ok());
  // Another authority there is not replaced.
  const town other;
  CHECK(platform::issue_node(other.folder.path, "north", in / "n", wall_now(), 1h)
            .refused_with(core::errc::conflict));
}

TEST_CASE("authority: names that are no names are refused", "[platform][links]") {
  const scratch in;
  for (const std::string bad : {"", "North", "a b", "a/b", "..", ".", "-a", "a-", "a,URI:belfry://x/y", "ä"})
    CHECK(platform::make_authority(in.path, bad, wall_now(), 24h).refused_with(core::errc::invalid));
  CHECK(platform::make_authority(in.path, std::string(64, 'a'), wall_now(), 24h)
            .refused_with(core::errc::invalid));
  CHECK(platform::make_authority(in.path, "town", wall_now(), 1s).refused_with(core::errc::invalid));
  REQUIRE(platform::make_authority(in.path, std::string(63, 'a'), wall_now(), 24h).ok());
  for (const std::string bad : {"", "../x", "x/../y", "UP"})
    CHECK(platform::issue_node(in.path, bad, in / "n", wall_now(), 1h).refused_with(core::errc::invalid));
  CHECK_FALSE(std::filesystem::exists(in / "n"));
  CHECK(platform::issue_node(in.path, std::string(63, 'b'), in / "n", wall_now(), 1h).ok());
}

TEST_CASE("authority: a node's certificate ends with the authority's at the latest", "[platform][links]") {
  const scratch in;
  const auto made = platform::make_authority(in.path, "town", wall_now(), 48h);
  REQUIRE(made.ok());
  const auto node = platform::issue_node(in.path, "north", in / "n", wall_now(), 24h * 365);
  REQUIRE(node.ok());
  CHECK(node->until == made->until);
  CHECK(platform::issue_node(in.path, "south", in / "s", wall_now() + 72h, 24h)
            .refused_with(core::errc::invalid));
}

TEST_CASE("authority: a node cannot stand in for it", "[platform][links]") {
  town t;
  const auto north = t.of("north");
  const scratch in;
  std::filesystem::copy(north.certificate, in / "authority.crt");
  std::filesystem::copy(north.key, in / "authority.key");
  CHECK(platform::issue_node(in.path, "evil", in / "n", wall_now(), 1h).refused_with(core::errc::invalid));
}

TEST_CASE("links: they do not open with papers that nobody would accept", "[platform][links]") {
  town t;
  const auto good = options_of(t.of("north"));
  CHECK(platform::open_secure_links(good).ok());
  CHECK((*platform::open_secure_links(good))->node() == "north");
  CHECK((*platform::open_secure_links(good))->cluster() == "town");

  auto o = good;
  o.certificate = t.folder / "nothing.crt";
  refuses_to_open(o, "nothing.crt");
  o = good;
  o.authority.clear();
  refuses_to_open(o, "no file");
  o = good;
  o.certificate = t.authority();
  o.key = t.authority_key();
  refuses_to_open(o, "authority's");
  o = good;
  o.authority = good.certificate;
  refuses_to_open(o, "not the certificate of an authority");
  o = good;
  o.key = t.of("south").key;
  refuses_to_open(o, "is not the key");
  town other;
  o = good;
  o.authority = other.authority();
  refuses_to_open(o, "says");
  refuses_to_open(options_of(t.issued_at("north", wall_now() - 24h * 10, 24h)), "expired");

  const scratch in;
  std::ofstream(in / "garbage.crt") << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  o = good;
  o.certificate = in / "garbage.crt";
  refuses_to_open(o, "no certificate");
}

TEST_CASE("links: a key that others may read is refused, with the command that helps", "[platform][links]") {
  town t;
  const auto o = options_of(t.of("north"));
  for (const unsigned mode : {0640U, 0604U, 0620U, 0610U}) {
    REQUIRE(::chmod(o.key.c_str(), mode) == 0);
    const auto opened = platform::open_secure_links(o);
    REQUIRE(opened.refused_with(core::errc::invalid));
    CHECK(opened.error().command == "chmod 600 " + o.key);
  }
  REQUIRE(::chmod(o.key.c_str(), 0400) == 0);
  CHECK(platform::open_secure_links(o).ok());
}
