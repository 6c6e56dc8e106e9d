// Streams: followed to their end, resumed without a gap or a repetition, and cut off when nobody reads them.
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "tests/support/shared_node.hpp"

namespace belfry::test {

TEST_CASE("streams: a log is followed line by line until the run has ended", "[e2e][http][streams]") {
  auto& node = shared_node();
  const scratch_folder folder;
  const auto id =
      node.submit_shell("for i in 1 2 3; do echo line $i; while ! [ -e " + (folder / "$i") +
                            " ]; do sleep 0.02; done; done; echo last >&2; exit $((BELFRY_ATTEMPT < 2))",
                        {{"retry", {{"base", "50ms"}}}});
  event_stream stream{node.tcp(), "/v1/runs/" + id + "/logs?follow=true"};
  std::vector<std::string> got;
  const auto next = [&] {
    auto e = stream.next();
    REQUIRE(e);
    if (e->event == "line") got.push_back(json::parse(e->data).at("text"));
    return *e;
  };
  for (int i = 1; i <= 3; ++i) {
    const auto e = next();  // it comes while the run waits for us
    CHECK(e.id == "1." + std::to_string(i));
    CHECK(node.run(id).at("state") == "running");
    write_text(folder / std::to_string(i), "");
  }
  sse_event e;
  do e = next();
  while (e.event == "line");
  CHECK(e.event == "end");
  CHECK(json::parse(e.data).at("state") == "succeeded");
  // The second attempt goes on in the same stream.
  CHECK(got ==
        std::vector<std::string>{"line 1", "line 2", "line 3", "last", "line 1", "line 2", "line 3", "last"});
  CHECK_FALSE(stream.next(5s));
  CHECK(stream.ended());

  // From the middle on, as a client that was cut off does.
  event_stream rest{node.tcp(), "/v1/runs/" + id + "/logs?follow=true", {{"Last-Event-ID", "1.3"}}};
  const auto first = rest.next();
  REQUIRE(first);
  CHECK(first->id == "1.4");
}

TEST_CASE("streams: the log of a run that is cancelled while somebody follows ends", "[e2e][http][streams]") {
  auto& node = shared_node();
  const auto id = node.submit_shell("echo here; sleep 300");
  event_stream stream{node.tcp(), "/v1/runs/" + id + "/logs?follow=true"};
  const auto line = stream.next();
  REQUIRE(line);
  node.http().post_json("/v1/runs/" + id + ":cancel", json::object());
  const auto end = stream.next();
  REQUIRE(end);
  CHECK(end->event == "end");
  CHECK(json::parse(end->data).at("state") == "cancelled");
}

TEST_CASE(
    "streams: events resume behind the last one seen, without gap or repetition, over deaths of the node",
    "[e2e][http][streams]") {
  real_node node{{.executors = 2}};
  std::vector<std::int64_t> seen;
  std::vector<json> told;
  std::string last = "0";
  for (int life = 1; life <= 4; ++life) {
    if (life > 1) node.start();
    event_stream stream{node.tcp(), "/v1/events", {{"Last-Event-ID", last}}};
    for (int i = 0; i < 12; ++i) node.submit_shell("echo " + std::to_string(i));
    // Cut off somewhere in the middle: by the client, or by the death of the node.
    const std::size_t wanted = seen.size() + 17;
    while (seen.size() < wanted) {
      const auto e = stream.next();
      REQUIRE(e);
      seen.push_back(e->number());
      told.push_back(json::parse(e->data));
      CHECK(told.back().at("kind") == e->event);
      CHECK(told.back().at("seq") == e->number());
      last = e->id;
    }
    if (life % 2 == 1)
      node.kill9();
    else
      CHECK(node.terminate() == 0);
  }
  node.start();
  // The rest, then everything: exactly the journal, each number once.
  const auto whole = node.events();
  event_stream stream{node.tcp(), "/v1/events?after=" + last};
  while (seen.back() < whole.back().at("seq").get<std::int64_t>()) {
    const auto e = stream.next();
    REQUIRE(e);
    seen.push_back(e->number());
    told.push_back(json::parse(e->data));
  }
  REQUIRE(seen.size() >= whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(seen[i] == static_cast<std::int64_t>(i) + 1);
    CHECK(told[i] == whole[i]);
  }
}

TEST_CASE("streams: an event is there before the answer that tells of it can be acted upon",
          "[e2e][http][streams]") {
  auto& node = shared_node();
  event_stream stream{node.tcp(), "/v1/events?kind=run_submitted"};
  // A stream without a position begins now; what "now" is becomes sure with the first event.
  const auto first = node.submit({{"name", "first"}, {"workspace", "nobody"}});
  auto e = stream.next();
  REQUIRE(e);
  while (json::parse(e->data).at("run_id") != first) {
    e = stream.next();
    REQUIRE(e);
  }
  for (int i = 0; i < 20; ++i) {
    const auto id = node.submit({{"name", "next"}, {"workspace", "nobody"}});
    e = stream.next();
    REQUIRE(e);
    CHECK(json::parse(e->data).at("run_id") == id);
  }
}

TEST_CASE("streams: the events of one run are its own", "[e2e][http][streams]") {
  auto& node = shared_node();
  const auto id = node.submit_shell("true");
  node.wait_finished(id);
  event_stream stream{node.tcp(), "/v1/runs/" + id + "/events"};
  std::vector<std::string> kinds;
  while (kinds.empty() || kinds.back() != "run_succeeded") {
    const auto e = stream.next();
    REQUIRE(e);
    CHECK(json::parse(e->data).at("run_id") == id);
    kinds.push_back(e->event);
  }
  CHECK(kinds == std::vector<std::string>{"run_submitted", "run_claimed", "run_succeeded"});
}

TEST_CASE("streams: a silent stream says now and then that it lives", "[e2e][http][streams]") {
  real_node node{{.flags = {"--set", "http.keep_alive=1s"}}};
  event_stream stream{node.tcp(), "/v1/events"};
  CHECK(eventually([&] {
    (void)stream.next(200ms);
    return stream.comments() >= 2;
  }));
  CHECK_FALSE(stream.ended());
}

TEST_CASE("streams: a reader who does not read is cut off, and costs no memory meanwhile",
          "[e2e][http][streams]") {
  real_node node{{.executors = 2, .flags = {"--set", "http.write_timeout=1500ms"}}};
  // A log that is six times as large in JSON as it is: more than the kernel holds for a connection.
  const auto id = node.submit_shell("head -c 1040000 /dev/zero | tr '\\0' '\\1' | fold -b -w 8000");
  node.wait_finished(id, 30s);
  const auto streams = [&] { return node.status().at("http").at("streams").get<int>(); };
  const auto before = node.resident_bytes();
  std::vector<event_stream> idle;
  for (int i = 0; i < 8; ++i)
    idle.emplace_back(node.tcp(), "/v1/runs/" + id + "/logs?follow=true", header_list{}, 4096);
  CHECK(streams() >= 1);
  const auto grown = static_cast<std::int64_t>(node.resident_bytes()) - static_cast<std::int64_t>(before);
  CHECK(grown < 128'000'000);  // a page each, and no more
  // Others do not notice.
  CHECK(node.wait_finished(node.submit_shell("true")).at("state") == "succeeded");
  CHECK(eventually([&] { return streams() == 0; }, 15s));
  // Cut off, not ended: what the kernel still held comes out, the end of the log does not.
  while (const auto e = idle.front().next(5s)) CHECK(e->event == "line");
  CHECK(idle.front().ended());
  // Who reads slowly but steadily is served to the end.
  event_stream slow{node.tcp(), "/v1/runs/" + id + "/logs?follow=true", {}, 65536};
  std::size_t bytes = 0;
  std::optional<sse_event> e;
  while ((e = slow.next()) && e->event == "line")
    bytes += json::parse(e->data).at("text").get<std::string>().size();
  REQUIRE(e);
  CHECK(e->event == "end");
  CHECK(bytes > 1'000'000);
}

TEST_CASE("streams: their number has a limit that is told", "[e2e][http][streams]") {
  real_node node{{.flags = {"--set", "http.max_streams=3"}}};
  std::vector<event_stream> open;
  for (int i = 0; i < 3; ++i) open.emplace_back(node.tcp(), "/v1/events");
  const auto refused = node.http().get("/v1/events", {{"Accept", "text/event-stream"}});
  CHECK(refused.status == 503);
  CHECK(refused.code() == "overloaded");
  CHECK_FALSE(refused.header("retry-after").empty());
  open.pop_back();
  CHECK(eventually([&] {
    try {
      event_stream again{node.tcp(), "/v1/events"};
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }));
}

TEST_CASE("streams: the end of the node ends them properly", "[e2e][http][streams]") {
  real_node node;
  event_stream stream{node.tcp(), "/v1/events"};
  CHECK(node.terminate() == 0);
  while (stream.next(5s)) {
  }
  CHECK(stream.ended());
}

}  // namespace belfry::test
