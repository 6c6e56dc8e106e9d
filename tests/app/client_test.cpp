#include <catch2/catch.hpp>

#include "app/cli/context.hpp"
#include "app/client/json_view.hpp"
#include "app/client/node_client.hpp"
#include "app/client/sse.hpp"
#include "app/log/log.hpp"

namespace belfry::app {

TEST_CASE("sse: events come out whole, however the bytes were cut", "[app][client]") {
  const std::string stream =
      ": hello\n\nid: 7\nevent: run_queued\ndata: {\"a\":1}\n\ndata: one\r\ndata: two\r\n\r\n:\nid: "
      "8\n\nevent: end\ndata:\n\n";
  const auto piece = GENERATE(1U, 2U, 3U, 7U, 1000U);
  std::vector<sse_event> seen;
  sse_reader reader([&](const sse_event& e) {
    seen.push_back(e);
    return true;
  });
  for (std::size_t from = 0; from < stream.size(); from += piece)
    REQUIRE(reader.feed(std::string_view(stream).substr(from, piece)));
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].id == "7");
  CHECK(seen[0].name == "run_queued");
  CHECK(seen[0].data == "{\"a\":1}");
  CHECK(seen[1].name == "message");
  CHECK(seen[1].data == "one\ntwo");
  CHECK(seen[2].name == "end");
  CHECK(reader.last_id() == "7");
}

TEST_CASE("sse: who has enough is asked nothing more", "[app][client]") {
  int seen = 0;
  sse_reader reader([&](const sse_event&) { return ++seen < 2; });
  CHECK_FALSE(reader.feed("data: 1\n\ndata: 2\n\ndata: 3\n\n"));
  CHECK(seen == 2);
}

TEST_CASE("json view: tolerant reading, and numbers that stay what they were", "[app][client]") {
  const auto doc = json_text::parse(
      R"({"n":12345678901234567890,"big":1e400,"t":"a\u00e9","list":[1,{"x":null}],"o":{},"yes":true,"no":null})");
  REQUIRE(doc);
  CHECK((*doc)["t"].text() == "aé");
  CHECK((*doc)["n"].text() == "12345678901234567890");
  CHECK((*doc)["yes"].truth());
  CHECK_FALSE((*doc)["no"].there());
  CHECK((*doc)["no"].text().empty());
  CHECK((*doc)["nothing"]["at"]["all"].number() == 0);
  CHECK((*doc)["list"].size() == 2);
  CHECK(indented(doc->text()).find("\"big\": 1e400,\n") != std::string::npos);
  CHECK(indented("{\"a\":[],\"b\":{ },\"c\":\"x{\\\"}\"}") ==
        "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": \"x{\\\"}\"\n}");
  CHECK(compact("{ \"a\" : [ 1 , 2 ] }") == "{\"a\":[1,2]}");
}

TEST_CASE("addresses: what is one, and what is not", "[app][client]") {
  CHECK(parse_address("http://127.0.0.1:7420/")->base == "http://127.0.0.1:7420");
  CHECK(parse_address("localhost:7420")->base == "http://localhost:7420");
  CHECK(parse_address("unix:/run/belfry.sock")->socket == "/run/belfry.sock");
  CHECK(parse_address("/run/belfry.sock")->shown() == "unix:/run/belfry.sock");
  CHECK(parse_address("unix:///run/belfry.sock")->socket == "/run/belfry.sock");
  CHECK(parse_address("unix:c/belfry.sock")->socket == "c/belfry.sock");
  for (const auto* bad : {"", "unix:", "ftp://x", "a b"}) CHECK_FALSE(parse_address(bad));
  CHECK_FALSE(parse_address("/" + std::string(200, 'x')));
}

TEST_CASE("exit codes: every code of the catalogue has the one of the table", "[app][client]") {
  using core::errc;
  for (const auto e : core::all_errcs()) {
    const int code = number_of(exit_code_of(e));
    INFO(core::code_of(e));
    CHECK((code == 1 || code == 2 || (code >= 4 && code <= 7)));
    // What may succeed later unchanged is what a script may try again.
    if (core::retryable(e) && e != errc::lease_held) CHECK(code == 7);
  }
  CHECK(number_of(exit_code_of(errc::not_found)) == 5);
  CHECK(number_of(exit_code_of(errc::invalid)) == 2);
  CHECK(number_of(exit_code_of(errc::forbidden)) == 4);
  CHECK(number_of(exit_code_of(errc::invalid_transition)) == 6);
}

TEST_CASE("refusals: a problem document becomes what, why and what to do", "[app][client]") {
  http_answer answer;
  answer.status = 422;
  answer.body =
      R"({"title":"A value is not allowed","status":422,"detail":"1 field is wrong","code":"invalid","command":"belfry help submit",
    "errors":[{"pointer":"/timeout","value":"x","allowed":"a duration","detail":"it is none"}]})";
  const auto r = refusal_of(answer);
  CHECK(r.exit == exit_code::usage);
  CHECK(std::string(r.what()) == "1 field is wrong");
  REQUIRE(r.why.size() == 1);
  CHECK(r.why.front() == "/timeout: it is none (given \"x\"; allowed: a duration)");
  CHECK(r.todo == "belfry help submit");
  context ctx;
  CHECK(refusal_text(r, ctx).find("belfry: 1 field is wrong\n  /timeout") == 0);
  ctx.options.output = "json";
  CHECK(json_text::parse(refusal_text(r, ctx))->root()["code"].text() == "invalid");
  http_answer odd;
  odd.status = 502;
  odd.body = "<html>";
  CHECK(refusal_of(odd).exit == exit_code::try_later);
}

TEST_CASE("log: a line becomes JSON with its key and its fields", "[app][log]") {
  const auto line =
      as_json_line("2026-11-21T10:00:00Z", "info",
                   R"(lease-expired run=run_1 fencing=4 text="two \"words\"" and more level=odd)");
  const auto doc = json_text::parse(line);
  REQUIRE(doc);
  CHECK((*doc)["ts"].text() == "2026-11-21T10:00:00Z");
  CHECK((*doc)["level"].text() == "info");
  CHECK((*doc)["msg"].text() == "lease-expired");
  CHECK((*doc)["run"].text() == "run_1");
  CHECK((*doc)["_text"].text() == "two \"words\"");
  CHECK((*doc)["_level"].text() == "odd");
  CHECK((*doc)["text"].text() == "and more");
  CHECK(take_apart("").key.empty());
  CHECK(json_text::parse(as_json_line("t", "error", "bad \xFF bytes \"")));
}

}  // namespace belfry::app
