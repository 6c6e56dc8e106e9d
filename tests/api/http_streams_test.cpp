// Streams: nothing twice, nothing missing, nobody is buffered for.
#include <catch2/catch.hpp>
#include <thread>

#include "tests/api/open_door.hpp"

namespace belfry::test {
namespace {

using namespace std::chrono_literals;

template <class F>
bool eventually(F f, std::chrono::milliseconds patience = 10s) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!f()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

std::size_t streams(open_door& d) {
  return d.http().get_json("/v1/node").at("http").at("streams").get<std::size_t>();
}

}  // namespace

TEST_CASE("streams: events are resumed without gap or repetition while they come", "[api][http][streams]") {
  api::server_options o;
  o.stream_page = 7;
  open_door d{o};
  d.node.note_events(20);
  std::thread writer{[&] {
    for (int i = 0; i < 100; ++i) {
      d.node.note_events(5);
      std::this_thread::sleep_for(1ms);
    }
  }};
  std::vector<std::int64_t> seen;
  std::string last = "0";
  while (seen.size() < 520) {
    event_stream s{d.tcp(), "/v1/events", {{"Last-Event-ID", last}}};
    for (std::size_t i = 0; i < 97 && seen.size() < 520; ++i) {
      const auto e = s.next();
      REQUIRE(e);
      CHECK(e->event == "node_started");
      seen.push_back(e->number());
      last = e->id;
    }
  }
  writer.join();
  for (std::size_t i = 0; i < seen.size(); ++i) REQUIRE(seen[i] == static_cast<std::int64_t>(i) + 1);
}

TEST_CASE("streams: without a position a stream begins now; a filter lets through what it names",
          "[api][http][streams]") {
  open_door d;
  d.node.note_events(5);
  event_stream s{d.tcp(), "/v1/events?kind=run_submitted"};
  std::this_thread::sleep_for(100ms);
  d.node.note_events(3);
  const auto id = d.submit();
  const auto e = s.next();
  REQUIRE(e);
  CHECK(e->number() == 9);
  CHECK(json::parse(e->data).at("run_id") == id);
  event_stream of_run{d.tcp(), "/v1/runs/" + id + "/events"};
  CHECK(of_run.next()->number() == 9);
  const auto page = d.http().get_json("/v1/events?after=2&limit=3");
  CHECK(page.at("events").size() == 3);
  CHECK(page.at("next_after") == 5);
  CHECK(d.http().get_json("/v1/events?run=" + id).at("events").size() == 1);
  CHECK(d.http().get_json("/v1/runs/" + id + "/events").at("events").size() == 1);
  for (const auto* bad : {"after=x", "after=-1", "kind=run_sumbitted", "limit=501"})
    CHECK(d.http().get("/v1/events?" + std::string(bad)).code() == "invalid");
  CHECK(d.http().get("/v1/events?run=nothing").status == 404);
}

TEST_CASE("streams: a position that was pruned, or of another store, is told so", "[api][http][streams]") {
  open_door d;
  d.node.note_events(50);
  d.node.prune_events(41);
  event_stream s{d.tcp(), "/v1/events?after=3"};
  const auto reset = s.next();
  REQUIRE(reset);
  CHECK(reset->event == "reset");
  CHECK(json::parse(reset->data).at("oldest_kept") == 41);
  CHECK(s.next()->number() == 41);
  event_stream future{d.tcp(), "/v1/events?after=5000"};
  const auto again = future.next();
  REQUIRE(again);
  CHECK(again->event == "reset");
  d.node.note_events(1);
  CHECK(future.next()->number() == 51);
}

TEST_CASE("streams: a log is followed until its run has ended", "[api][http][streams]") {
  open_door d;
  const auto session = d.session();
  const auto id = d.submit();
  const auto run = open_door::id_of(id);
  event_stream s{d.tcp(), "/v1/runs/" + id + "/logs?follow=true"};
  const auto c = d.claim(session);
  for (int i = 1; i <= 5; ++i) {
    d.node.write_log(run, 1, {"line " + std::to_string(i)});
    const auto e = s.next();
    REQUIRE(e);
    CHECK(e->id == "1." + std::to_string(i));
    CHECK(json::parse(e->data).at("text") == "line " + std::to_string(i));
  }
  d.node.write_log(run, 1, {"last"});
  d.http().post_json("/v1/runs/" + id + ":complete", open_door::proof(c));
  CHECK(json::parse(s.next()->data).at("text") == "last");
  const auto end = s.next();
  REQUIRE(end);
  CHECK(end->event == "end");
  CHECK(json::parse(end->data).at("state") == "succeeded");
  CHECK_FALSE(s.next(3s));
  CHECK(s.ended());
  event_stream rest{d.tcp(), "/v1/runs/" + id + "/logs", {{"Last-Event-ID", "1.4"}}};
  CHECK(rest.next()->id == "1.5");
  event_stream tail{d.tcp(), "/v1/runs/" + id + "/logs?follow=true&tail=1"};
  CHECK(json::parse(tail.next()->data).at("text") == "last");
  CHECK(tail.next()->event == "end");
  CHECK(eventually([&] { return streams(d) == 0; }));
}

TEST_CASE("streams: a reader who does not read is cut off, and others do not notice",
          "[api][http][streams]") {
  api::server_options o;
  o.limits.write_time = 400ms;
  open_door d{o};
  d.node.note_events(2000, std::string(2000, 'x'));
  event_stream lazy{d.tcp(), "/v1/events?after=0", {}, 4096};
  REQUIRE(eventually([&] { return streams(d) == 1; }));
  event_stream keen{d.tcp(), "/v1/events?after=0"};
  for (int i = 1; i <= 2000; ++i) REQUIRE(keen.next()->number() == i);
  CHECK(eventually([&] { return streams(d) == 1; }));
  d.node.note_events(1);
  CHECK(keen.next()->number() == 2001);
}

TEST_CASE("streams: silence is broken now and then, and their number is bounded", "[api][http][streams]") {
  api::server_options o;
  o.limits.keep_alive = 50ms;
  o.limits.streams = 2;
  open_door d{o};
  event_stream a{d.tcp(), "/v1/events"};
  std::optional<event_stream> b;
  b.emplace(d.tcp(), "/v1/events");
  (void)a.next(400ms);
  CHECK(a.comments() >= 3);
  const auto no = d.http().get("/v1/events", {{"Accept", "text/event-stream"}});
  CHECK(no.status == 503);
  CHECK(no.code() == "overloaded");
  b.reset();
  CHECK(eventually([&] { return streams(d) == 1; }));
  event_stream c{d.tcp(), "/v1/events?after=0"};
}

TEST_CASE("streams: a node that cannot answer for a moment does not end them", "[api][http][streams]") {
  open_door d;
  event_stream s{d.tcp(), "/v1/events?after=0"};
  REQUIRE(eventually([&] { return streams(d) == 1; }));
  d.node.refuse_next(core::errc::overloaded);
  d.node.note_events(1);
  const auto e = s.next(5s);
  REQUIRE(e);
  CHECK(e->number() == 1);
}

TEST_CASE("streams: the end of the server ends them as a whole", "[api][http][streams]") {
  open_door d;
  event_stream s{d.tcp(), "/v1/events"};
  REQUIRE(eventually([&] { return streams(d) == 1; }));
  d.server->stop(2s);
  CHECK_FALSE(s.next(3s));
  CHECK(s.ended());
}

TEST_CASE("streams: requests behind a stream are answered when it has ended", "[api][http][streams]") {
  open_door d;
  const auto id = d.submit();
  d.http().post_json("/v1/runs/" + id + ":cancel", json::object());
  http_link link{d.tcp()};
  REQUIRE(link.send(request_text("GET", "/v1/runs/" + id + "/logs?follow=true") +
                    request_text("GET", "/v1/ping")));
  REQUIRE(link.reply_head());
  while (link.piece(3s)) {
  }
  const auto r = link.reply();
  REQUIRE(r);
  CHECK(r->parsed().at("pong") == true);
}

}  // namespace belfry::test
