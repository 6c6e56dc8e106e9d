// Access tokens at the door: what each role may, and what a worker proves by other means.
#include <catch2/catch.hpp>

#include "api/http/route.hpp"
#include "platform/ports/clock.hpp"
#include "tests/api/open_door.hpp"

using namespace belfry;
using core::role;
using test::header_list;
using test::http_client;
using test::json;
using test::open_door;

namespace {

api::server_options guarded() {
  api::server_options o;
  for (const auto each : {role::read, role::work, role::operate, role::admin}) {
    const std::string name{core::to_text(each)};
    o.access.tokens.push_back({name, each, platform::sha256("secret-" + name)});
  }
  return o;
}

header_list with(const std::string& who) { return {{"Authorization", "Bearer secret-" + who}}; }

}  // namespace

TEST_CASE("access: without a declared token everybody at the door may do everything", "[api][http][access]") {
  open_door d;
  CHECK(d.http().get("/v1/runs").status == 200);
  CHECK(d.submit().starts_with("run_"));
}

TEST_CASE("access: where tokens are declared nothing is allowed without one, health and documents apart",
          "[api][http][access]") {
  open_door d{guarded()};
  const auto no = d.http().get("/v1/runs");
  CHECK(no.status == 401);
  CHECK(no.header("www-authenticate") == "Bearer realm=\"belfry\"");
  CHECK(no.parsed().at("code") == "unauthorised");
  CHECK(no.parsed().at("detail").get<std::string>().find("list_runs needs the role read") !=
        std::string::npos);
  for (const auto* open :
       {"/v1/health", "/v1/ready", "/metrics", "/v1/openapi.json", "/problems", "/v1/ping"})
    CHECK(d.http().get(open).status == 200);
}

TEST_CASE("access: the unix socket is the user's own", "[api][http][access]") {
  open_door d{guarded()};
  http_client own{d.unix_socket()};
  CHECK(own.get("/v1/runs").status == 200);
  CHECK(own.get("/v1/runs", {{"Authorization", "Bearer made-up"}}).status == 401);
}

TEST_CASE("access: every operation is refused to each role below the one that it names",
          "[api][http][access]") {
  open_door d{guarded()};
  const std::vector<std::pair<std::string, role>> people{
      {"read", role::read}, {"work", role::work}, {"operate", role::operate}, {"admin", role::admin}};
  std::size_t asked = 0;
  for (const auto& r : api::routes()) {
    std::string path;
    for (std::size_t i = 0; i < r.pattern.size(); ++i) {
      if (r.pattern[i] != '{') {
        path += r.pattern[i];
        continue;
      }
      path += "nobody";
      i = r.pattern.find('}', i);
    }
    for (const auto& [name, may] : people) {
      if (static_cast<int>(may) >= static_cast<int>(r.needs)) continue;
      // Without a body: what is let in is refused later, what is kept out is refused first.
      const auto answer = d.http().send(std::string{api::to_text(r.method)}, path, "", with(name));
      INFO(r.operation << " as " << name << ": " << answer.body);
      if (r.lease_token)
        CHECK(answer.status != 403);
      else
        CHECK(answer.status == 403);
      ++asked;
    }
  }
  CHECK(asked > 100);
}

TEST_CASE("access: a role may do what it names and what is before it", "[api][http][access]") {
  open_door d{guarded()};
  auto& h = d.http();
  CHECK(h.get("/v1/runs", with("read")).status == 200);
  CHECK(h.get("/v1/runs", with("work")).status == 200);
  CHECK(h.post("/v1/runs", json{{"name", "a"}}, with("work")).status == 403);
  const auto made = h.post("/v1/runs", json{{"name", "a"}}, with("operate"));
  CHECK(made.status == 201);
  CHECK(h.post("/v1/sessions", json{{"name", "w"}}, with("work")).status == 201);
  CHECK(h.post("/v1/sessions", json{{"name", "w"}}, with("read")).status == 403);
  CHECK(h.get("/v1/runs", {{"Authorization", "Bearer secret-nobody"}}).status == 401);
  CHECK(h.get("/v1/runs", {{"Authorization", "Basic c2VjcmV0LXJlYWQ="}}).status == 401);
  CHECK(h.get("/v1/runs", {{"Authorization", "bearer  secret-read"}}).status == 200);
}

TEST_CASE("access: what may be done without a token can be set", "[api][http][access]") {
  auto o = guarded();
  o.access.without_token = role::read;
  open_door d{std::move(o)};
  CHECK(d.http().get("/v1/runs").status == 200);
  const auto no = d.http().post("/v1/runs", json{{"name", "a"}});
  CHECK(no.status == 401);
  CHECK(no.parsed().at("detail").get<std::string>().find("the role here is read") != std::string::npos);
}

TEST_CASE("access: the journal tells whose token it was", "[api][http][access]") {
  open_door d{guarded()};
  auto& h = d.http();
  const auto by = [&](header_list headers) {
    const std::string id = h.post("/v1/runs", json{{"name", "a"}}, std::move(headers)).parsed().at("id");
    return h.get("/v1/runs/" + id, with("read")).parsed().at("created_by").get<std::string>();
  };
  CHECK(by(with("operate")) == "operate");
  auto named = with("operate");
  named.emplace_back("X-Belfry-Actor", "cli:ann");
  CHECK(by(named) == "operate/cli:ann");
}

TEST_CASE("access: the token of a lease is enough for what is said about it", "[api][http][access]") {
  open_door d{guarded()};
  auto& h = d.http();
  const std::string run = h.post("/v1/runs", json{{"name", "a"}}, with("operate")).parsed().at("id");
  const std::string session = h.post("/v1/sessions", json{{"name", "w"}}, with("work")).parsed().at("id");
  CHECK(h.post("/v1/claims", json{{"session", session}}).status == 401);
  const auto claimed =
      h.post("/v1/claims", json{{"session", session}}, with("work")).parsed().at("claims").at(0);
  const auto proof = open_door::proof(claimed);
  CHECK(h.post("/v1/runs/" + run + ":start", proof).status == 200);
  auto wrong = proof;
  wrong["token"] = "made-up";
  CHECK(h.post("/v1/runs/" + run + ":complete", wrong).status == 409);
  CHECK(h.post("/v1/runs/" + run + ":complete", proof).status == 200);
}
