// Wire: what one release has written, every later one can read.
#include <functional>
#include <limits>
#include <map>
#include <tuple>

#include "tests/wire/samples.hpp"

using namespace belfry;
using namespace belfry::tests::wires;
using namespace std::chrono_literals;

namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto b = static_cast<std::uint8_t>(c);
    out += digits[b >> 4U];
    out += digits[b & 15U];
  }
  return out;
}

// A field of a tag that nobody knows, as a number and as a text.
const std::string from_the_future{"\xfe\x7f\x05\xff\x7f\x03xyz", 9};

w::hello full_hello() {
  return {1,
          "n",
          "b",
          "0.9",
          {"disk=ssd"},
          {"gpu"},
          2,
          {core::session_id{5}},
          {{core::session_id{5}, core::run_id{6}, 7}}};
}
w::welcome full_welcome() {
  return {1,
          "n",
          "b",
          "c",
          "0.9",
          {1s, 2s, 3s},
          true,
          {core::session_id{5}},
          {{core::session_id{5}, core::run_id{6}, 7}}};
}
core::token_hash nines() {
  core::token_hash h{};
  h.fill(9);
  return h;
}
m::register_session full_register() {
  m::register_session r;
  r.who = {core::session_id{5},
           "n",
           "process",
           "w",
           "c",
           {"gpu"},
           {core::handler_kind::process},
           2,
           core::session_state::draining,
           true,
           true,
           core::from_micros(1),
           core::from_micros(2),
           true,
           true,
           "{}",
           {core::wake_via::none, "", "", {}, "", 5s, false}};
  r.actor = "a";
  r.once = m::once_key{"k", nines()};
  r.shown = nines();
  r.worker = core::spawned_worker{};
  r.worker->run = core::run_id{6};
  return r;
}
m::settle_runs full_settle() {
  core::cmd_settle how;
  how.proof = {3, nines()};
  how.kind = core::settle_kind::failed;
  how.klass = core::failure_class::rate_limited;
  how.message = "m";
  how.retry_after = 1s;
  how.until = core::from_micros(5);
  how.resource = "r";
  how.exit_code = -1;
  how.signal = 9;
  how.stopped_with = "KILL";
  how.used = {1s, 2s, 3};
  how.result = "{}";
  how.output_bytes = 4;
  how.output_truncated = true;
  how.unit = 0.25;
  how.limits_type = 2;
  return {{{core::run_id{6}, how}}, "a"};
}
w::answer full_claim() {
  m::claimed_run c;
  c.run.head.id = core::run_id{6};
  c.run.head.name = "n";
  c.run.head.needs.workspace = "w";
  c.run.head.needs.capabilities = {"gpu"};
  c.run.head.held.hash = nines();
  core::run_spec spec;
  spec.name = "n";
  spec.handler = core::handler_kind::none;
  spec.payload = "{}";
  c.run.spec = std::make_shared<const core::run_spec>(std::move(spec));
  core::run_past past;
  past.attempts.push_back({});
  past.last = core::checkpoint{1, core::from_micros(2), "3"};
  c.run.past = std::make_shared<const core::run_past>(std::move(past));
  c.token = "t";
  return {w::reply{m::claimed_runs{{c}, core::session_state::draining, {{"code", "text"}}, 7s}}, 5s};
}

// One body of each kind, and how it is read.
struct kind {
  std::string name, body;
  std::function<core::result<std::string>(std::string_view)> again;  // read, and written once more
};
template <class T>
kind of(std::string name, const T& message, core::result<T> (*read)(std::string_view)) {
  return {std::move(name), w::encode(message), [read](std::string_view body) -> core::result<std::string> {
            auto m = read(body);
            if (!m) return m.error();
            return w::encode(*m);
          }};
}
std::vector<kind> all_kinds() {
  return {
      of("hello", full_hello(), w::read_hello),
      of("welcome", full_welcome(), w::read_welcome),
      of("refused", w::refused{core::errc::conflict, "t", 2}, w::read_refused),
      of("beat", w::beat{300}, w::read_beat),
      of("beat of a coordinator", w::beat{300, w::beat_drains}, w::read_beat),
      of("stop", w::stop{{core::run_id{6}, 7, m::stop_why::timeout, core::session_id{8}}}, w::read_stop),
      of("steer", w::steer{true, "r"}, w::read_steer),
      of("claim", w::ask{m::claim_runs{core::session_id{5}, 2, 1s, core::priority::high, 2s, true, nines()}},
         w::read_ask),
      of("claim beside",
         w::ask{m::claim_runs{core::session_id{5},
                              2,
                              1s,
                              core::priority::high,
                              2s,
                              true,
                              nines(),
                              {core::run_id{6}, core::run_id{7}}}},
         w::read_ask),
      of("end", w::ask{m::end_session{core::session_id{5}, "r", true, "a"}}, w::read_ask),
      of("log",
         w::ask{m::touch_leases{
             {{core::run_id{6}, core::cmd_log{{3, nines()},
                                              {{core::run_id{6}, 1, 2, core::from_micros(3),
                                                core::log_stream::err, "l", core::log_level::warn}},
                                              4}}}}},
         w::read_ask),
      of("register", w::ask{full_register()}, w::read_ask),
      of("settle", w::ask{full_settle()}, w::read_ask),
      of("session", w::answer{w::reply{m::session_answer{full_register().who, true}}, 0s}, w::read_answer),
      of("settled", w::answer{w::reply{m::settled{{m::settled_item{{}, true}}}}, 0s}, w::read_answer),
      of("claimed", full_claim(), w::read_answer),
      of("failure",
         w::answer{core::failure{core::errc::overloaded, "t", {{"/p", "v", "a", "d"}}, "c", 8}, 0s},
         w::read_answer),
      of("touched",
         w::answer{w::reply{m::touched{
                       {m::lease_status{core::from_micros(1), core::from_micros(2), true, true, true, 3},
                        core::failure{core::errc::stale_lease, "t", {}, {}, 0}}}},
                   0s},
         w::read_answer)};
}

}  // namespace

TEST_CASE("wire: golden bytes of each kind", "[wire]") {
  const std::map<std::string, std::string> golden{
      {"hello", "020105016e0701620903302e390b086469736b3d7373640d036770750e0210051306020504060607"},
      {"welcome", "020105016e0701620901630b03302e390d0d02c0843d0480897a06c08db7010e0110051306020504060607"},
      {"refused", "020b0501740602"},
      {"beat", "02ac02"},
      {"beat of a coordinator", "02ac020402"},
      {"stop", "03080206040706010808"},
      {"steer", "0201050172"},
      {"claim",
       "07320205040206c0843d08010a80897a0c010f2009090909090909090909090909090909090909090909090909"
       "09090909090909"},
      {"claim beside",
       "07360205040206c0843d08010a80897a0c010f2009090909090909090909090909090909090909090909090909"
       "0909090909090910061007"},
      {"end", "050a02050501720601090161"},
      {"log",
       "093f033d02060d3903240203052009090909090909090909090909090909090909090909090909090909090909"
       "09050f02060401060208030a010d016c0e030604"},
      {"register",
       "038c010336020505016e070770726f636573730901770b01630d036770750e01100212011401160118011a021c"
       "011e0121027b7d23053176313a33050161072503016b0520090909090909090909090909090909090909090909"
       "090909090909090909090909200909090909090909090909090909090909090909090909090909090909090909"
       "0b0604060c000e00"},
      {"settle",
       "0b72036d0206056903240203052009090909090909090909090909090909090909090909090909090909090909"
       "090401060609016d0ac0843d0c050f017210ffffffffffffffffff01120915044b494c4c170a02c0843d048089"
       "7a060319027b7d1a041c011f08000000000000d03f2002050161"},
      {"session",
       "033a0336020505016e070770726f636573730901770b01630d036770750e01100212011401160118011a021c01"
       "1e0121027b7d23053176313a3304013e00"},
      {"settled", "091e031c031a0316120214022001220037003e004508000000000000000004013e00"},
      {"claimed",
       "058601036f034902061202140217016e1b01771d073163333a6770752001220037220520090909090909090909"
       "09090909090909090909090909090909090909090909093e004508000000000000000005040101016e07027b7d"
       "0b15030a100812001d04020004000507020104020701330d01740401070c0304636f646505047465787408c09f"
       "ab033ec096b102"},
      {"failure", "3d19020e050174070d03022f700501760701610901640901630a083e00"},
      {"touched", "0719030e030c02010402060108010a010c0303070505020a0501743e00"},
  };
  for (const auto& k : all_kinds()) {
    INFO(k.name << " " << hex(k.body));
    CHECK(golden.count(k.name) == 1);
    if (golden.count(k.name) == 1) CHECK(golden.at(k.name) == hex(k.body));
  }
}

TEST_CASE("wire: what was written is read as it was, and written again alike", "[wire]") {
  rc::prop("hello", [] {
    const w::hello h{any_number<std::uint16_t>(),
                     any_text(),
                     any_text(),
                     any_text(),
                     any_texts(),
                     any_texts(),
                     any_number<std::uint32_t>(),
                     some(any_id<core::session_id>),
                     some(any_held)};
    const auto r = w::read_hello(w::encode(h));
    RC_ASSERT(r.ok());
    RC_ASSERT(std::tie(r->version, r->node, r->boot, r->belfry_version, r->labels, r->capabilities,
                       r->executors, r->sessions,
                       r->held) == std::tie(h.version, h.node, h.boot, h.belfry_version, h.labels,
                                            h.capabilities, h.executors, h.sessions, h.held));
  });
  rc::prop("welcome", [] {
    const w::welcome h{any_number<std::uint16_t>(),
                       any_text(),
                       any_text(),
                       any_text(),
                       any_text(),
                       {any_span(), any_span(), any_span()},
                       any_flag(),
                       some(any_id<core::session_id>),
                       some(any_held)};
    const auto r = w::read_welcome(w::encode(h));
    RC_ASSERT(r.ok());
    RC_ASSERT(std::tie(r->version, r->node, r->boot, r->cluster, r->belfry_version, r->membership.beat,
                       r->membership.suspect_after, r->membership.lost_after, r->draining, r->gone,
                       r->lost) == std::tie(h.version, h.node, h.boot, h.cluster, h.belfry_version,
                                            h.membership.beat, h.membership.suspect_after,
                                            h.membership.lost_after, h.draining, h.gone, h.lost));
  });
  rc::prop("the small ones", [] {
    const auto r = w::read_refused(w::encode(w::refused{core::errc::forbidden, "why", 7}));
    RC_ASSERT((r.ok() && r->code == core::errc::forbidden && r->text == "why" && r->version == 7));
    const auto n = any_number<std::uint32_t>();
    RC_ASSERT(w::read_beat(w::encode(w::beat{n}))->running == n);
    const m::stop_attempt s{any_id<core::run_id>(), any_number<std::uint64_t>(),
                            any_of(m::stop_why::lease_lost), any_id<core::session_id>()};
    const auto t = w::read_stop(w::encode(w::stop{s}));
    RC_ASSERT((t->what.run == s.run && t->what.fencing == s.fencing && t->what.why == s.why &&
               t->what.holder == s.holder));
    const auto v = w::read_steer(w::encode(w::steer{true, "why"}));
    RC_ASSERT((v->draining && v->reason == "why"));
  });
  rc::prop("questions", [] {
    const w::ask q{any_question()};
    const auto body = w::encode(q);
    const auto r = w::read_ask(body);
    RC_ASSERT(r.ok());
    RC_ASSERT(r->what.index() == q.what.index());
    RC_ASSERT(w::encode(*r) == body);
    if (const auto* asked = std::get_if<m::register_session>(&q.what)) {
      const auto& got = std::get<m::register_session>(r->what);
      RC_ASSERT((got.who == asked->who && got.actor == asked->actor && got.shown == asked->shown &&
                 got.worker == asked->worker));
      RC_ASSERT(got.once.has_value() == asked->once.has_value());
      if (got.once)
        RC_ASSERT((got.once->key == asked->once->key && got.once->fingerprint == asked->once->fingerprint));
    } else if (const auto* claim = std::get_if<m::claim_runs>(&q.what)) {
      const auto& got = std::get<m::claim_runs>(r->what);
      RC_ASSERT(std::tie(got.who, got.max, got.wait, got.at_least, got.lease, got.start, got.shown,
                         got.holds) == std::tie(claim->who, claim->max, claim->wait, claim->at_least,
                                                claim->lease, claim->start, claim->shown, claim->holds));
    } else if (const auto* settle = std::get_if<m::settle_runs>(&q.what)) {
      const auto& got = std::get<m::settle_runs>(r->what);
      RC_ASSERT((got.actor == settle->actor && got.items.size() == settle->items.size()));
      for (std::size_t i = 0; i < got.items.size(); ++i) {
        const auto& a = got.items[i].how;
        const auto& b = settle->items[i].how;
        RC_ASSERT(got.items[i].run == settle->items[i].run);
        RC_ASSERT(std::tie(a.proof.fencing, a.proof.hash, a.kind, a.klass, a.message, a.retry_after, a.until,
                           a.resource, a.exit_code, a.signal, a.stopped_with, a.used, a.result,
                           a.output_bytes, a.output_truncated, a.unit, a.limits_type) ==
                  std::tie(b.proof.fencing, b.proof.hash, b.kind, b.klass, b.message, b.retry_after, b.until,
                           b.resource, b.exit_code, b.signal, b.stopped_with, b.used, b.result,
                           b.output_bytes, b.output_truncated, b.unit, b.limits_type));
      }
    } else if (const auto* touch = std::get_if<m::touch_leases>(&q.what)) {
      const auto& got = std::get<m::touch_leases>(r->what);
      RC_ASSERT(got.calls.size() == touch->calls.size());
      for (std::size_t i = 0; i < got.calls.size(); ++i) {
        RC_ASSERT((got.calls[i].run == touch->calls[i].run &&
                   got.calls[i].what.index() == touch->calls[i].what.index()));
        if (const auto* log = std::get_if<core::cmd_log>(&touch->calls[i].what)) {
          const auto& lines = std::get<core::cmd_log>(got.calls[i].what);
          RC_ASSERT((lines.lines == log->lines && lines.first == log->first &&
                     lines.proof.hash == log->proof.hash));
        }
      }
    }
  });
  rc::prop("answers", [] {
    const w::answer q =
        any_flag() ? w::answer{any_failure(), any_span()} : w::answer{any_reply(), any_span()};
    const auto body = w::encode(q);
    const auto r = w::read_answer(body);
    RC_ASSERT(r.ok());
    RC_ASSERT((r->what.ok() == q.what.ok() && r->waited == q.waited));
    RC_ASSERT(w::encode(*r) == body);
    if (!q.what) {
      RC_ASSERT((r->what.error().code == q.what.error().code && r->what.error().text == q.what.error().text &&
                 r->what.error().command == q.what.error().command &&
                 r->what.error().retry_ms == q.what.error().retry_ms &&
                 r->what.error().problems.size() == q.what.error().problems.size()));
      return;
    }
    RC_ASSERT(r->what->index() == q.what->index());
    if (const auto* claimed = std::get_if<m::claimed_runs>(&*q.what)) {
      const auto& got = std::get<m::claimed_runs>(*r->what);
      RC_ASSERT((got.runs.size() == claimed->runs.size() && got.state == claimed->state &&
                 got.delay == claimed->delay));
      for (std::size_t i = 0; i < got.runs.size(); ++i) {
        const auto& a = got.runs[i];
        const auto& b = claimed->runs[i];
        RC_ASSERT(a.run.head == b.run.head);
        RC_ASSERT(*a.run.spec == *b.run.spec);  // the payload too
        RC_ASSERT(a.token == b.token);
        RC_ASSERT((a.run.past == nullptr) == (b.run.past == nullptr));
        if (a.run.past)
          RC_ASSERT((a.run.past->attempts == b.run.past->attempts && a.run.past->last == b.run.past->last));
      }
    } else if (const auto* one = std::get_if<m::session_answer>(&*q.what)) {
      RC_ASSERT(std::get<m::session_answer>(*r->what).who == one->who);
    }
  });
}

TEST_CASE("wire: fields that this version does not know are passed over, wherever they stand", "[wire]") {
  for (const auto& k : all_kinds()) {
    INFO(k.name);
    for (const auto& body : {from_the_future + k.body, k.body + from_the_future}) {
      const auto again = k.again(body);
      REQUIRE(again.ok());
      CHECK(*again == k.body);
    }
  }
}

TEST_CASE("wire: what is missing has its usual value", "[wire]") {
  const auto h = w::read_hello("");
  REQUIRE(h.ok());
  CHECK((h->version == core::wire_version && h->node.empty() && h->executors == 0 && h->held.empty()));
  const auto v = w::read_welcome("");
  REQUIRE(v.ok());
  CHECK(v->membership.beat == core::membership_options{}.beat);
  CHECK_FALSE(v->draining);
  CHECK(w::read_beat("")->running == 0);
  CHECK(w::read_stop("")->what.why == m::stop_why::cancel);
  // A claim with nothing in it: the tag of the question and an empty part.
  const auto c = w::read_ask(std::string_view{"\x07\x00", 2});
  REQUIRE(c.ok());
  const auto& claim = std::get<m::claim_runs>(c->what);
  CHECK((claim.max == 1 && claim.lease == 5min && claim.at_least == core::priority::low && !claim.shown));
  // Claimed runs, one, empty: there is a spec, and it says that none came.
  const auto a = w::read_answer(std::string_view{"\x05\x02\x03\x00", 4});
  REQUIRE((a.ok() && a->what.ok()));
  CHECK(std::get<m::claimed_runs>(*a->what).runs.at(0).run.spec->unreadable == "it came without its spec");
}

TEST_CASE("wire: a question without a question, and an answer without one, are refused", "[wire]") {
  for (const auto& body : {std::string{}, from_the_future}) {
    CHECK(w::read_ask(body).refused_with(core::errc::invalid));
    CHECK(w::read_answer(body).refused_with(core::errc::invalid));
  }
  CHECK_THAT(w::read_ask("").error().text, Catch::Contains("question") && Catch::Contains("says nothing"));
}

TEST_CASE("wire: every beginning of a good body is read or refused", "[wire]") {
  for (const auto& k : all_kinds())
    for (std::size_t n = 0; n < k.body.size(); ++n) {
      const auto r = k.again(std::string_view{k.body}.substr(0, n));
      if (!r) CHECK(r.error().code == core::errc::invalid);
    }
}

TEST_CASE("wire: bytes of a stranger are a message or refused, and cost no more memory than they are long",
          "[wire]") {
  const auto kinds = all_kinds();
  rc::prop("any bytes", [&](const std::string& bytes) {
    for (const auto& k : kinds) (void)k.again(bytes);
  });
  rc::prop("a good body with some bytes changed", [&] {
    const auto& k = *rc::gen::elementOf(kinds);
    auto body = k.body;
    for (auto n = *rc::gen::inRange(1, 5); n > 0; --n)
      body[*rc::gen::inRange<std::size_t>(0, body.size())] = *rc::gen::arbitrary<char>();
    (void)k.again(body);
  });
}

TEST_CASE("wire: numbers out of their range, lists and texts that are too long are refused, and named",
          "[wire]") {
  const auto refused = [](std::string_view body, const std::string& why) {
    const auto r = w::read_hello(body);
    REQUIRE(r.refused_with(core::errc::invalid));
    CHECK_THAT(r.error().text, Catch::Contains("hello") && Catch::Contains(why));
  };
  refused(std::string_view{"\x02\xff\xff\x04", 4}, "field 1 is greater than 65535");
  refused(std::string_view{"\x03\x01x", 3}, "field 1 is a text");
  refused(std::string_view{"\x04\x01", 2}, "field 2 is a number");
  refused(std::string_view{"\x05\x7fx", 3}, "ends early");
  refused("\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "too long");
  w::hello h;
  h.node = std::string(2000, 'x');
  refused(w::encode(h), "field 2 is longer than 1024 bytes");
  h.node.clear();
  h.labels = std::vector<std::string>(2000, "x");
  refused(w::encode(h), "field 5 has more than 1024 items");
  // A failure with a code that is not known, a session in a state that there is not.
  CHECK(w::read_refused(std::string_view{"\x02\x7f", 2}).refused_with(core::errc::invalid));
  CHECK(w::read_refused(std::string_view{"\x02\x00", 2}).refused_with(core::errc::invalid));
  m::settle_runs many;
  many.items.resize(1001);
  CHECK(w::read_ask(w::encode(w::ask{many})).refused_with(core::errc::invalid));
  auto odd = full_settle();
  odd.items[0].how.unit = std::numeric_limits<double>::quiet_NaN();
  CHECK_THAT(w::read_ask(w::encode(w::ask{odd})).error().text, Catch::Contains("no finite number"));
  CHECK(w::read_beat(std::string(w::longest_body + 1, '\0')).refused_with(core::errc::too_large));
}

TEST_CASE("wire: a run whose spec this version cannot read comes all the same, and says so", "[wire]") {
  auto a = full_claim();
  auto body = w::encode(a);
  const auto spec = std::string{"\x01\x01\x01n", 4};
  const auto at = body.find(spec);
  REQUIRE(at != std::string::npos);
  body[at] = '\x02';  // of a later version
  const auto r = w::read_answer(body);
  REQUIRE((r.ok() && r->what.ok()));
  const auto& run = std::get<m::claimed_runs>(*r->what).runs.at(0);
  CHECK_FALSE(run.run.spec->unreadable.empty());
  CHECK(run.run.spec->payload == "{}");
  CHECK(run.run.head.id == core::run_id{6});
}
