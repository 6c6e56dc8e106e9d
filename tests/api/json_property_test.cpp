// Properties: whatever bytes come, decoding ends with a value or a refusal; what is taken agrees with another
// parser; what is written is JSON.
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "api/http/target.hpp"
#include "api/json/controls.hpp"
#include "api/json/filters.hpp"
#include "api/json/jobs.hpp"
#include "api/json/leases.hpp"
#include "api/json/runs.hpp"
#include "api/json/sessions.hpp"
#include "api/json/submissions.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api::json {
namespace {

constexpr core::instant now = core::from_micros(1'795'255'200'000'000);

// Everything that reads a body, on the same bytes.
void decode_all(const std::string& bytes) {
  (void)document::parse(bytes);
  (void)read_submission(bytes, now);
  (void)read_batch(bytes, now);
  (void)read_job(bytes, {});
  (void)read_job_patch(bytes, core::job_definition{});
  (void)read_import_line(bytes);
  (void)read_trigger(bytes);
  (void)read_pause(bytes);
  (void)read_session(bytes);
  (void)read_claim(bytes);
  (void)read_reissue(bytes);
  (void)read_start(bytes);
  (void)read_heartbeat(bytes);
  (void)read_progress(bytes);
  (void)read_checkpoint(bytes);
  (void)read_log(bytes);
  (void)read_heartbeats(bytes);
  (void)read_session_heartbeat(bytes);
  (void)read_adoption_body(bytes);
  for (int k = 0; k < 5; ++k) (void)read_settle(bytes, static_cast<core::settle_kind>(k));
  (void)read_completions(bytes);
  for (int v = 0; v < 3; ++v) (void)read_bulk(bytes, static_cast<bulk_verb>(v));
  (void)read_priority_body(bytes);
  (void)read_reason_body(bytes);
  (void)read_payload_body(bytes);
  (void)read_limits_body(bytes);
  (void)parse_target(bytes);
  filter_draft f;
  problems found;
  for (const auto name : filter_names()) (void)read_filter_text(name, bytes, f, found);
}

const std::vector<std::string>& seeds() {
  static const std::vector<std::string> all{
      R"({"name":"a","handler":{"argv":["x"],"env":{"A":"1"},"limits":{"cpu":"1s"}},"payload":{"n":[1,2.5e3,null]},"retry":{"base":"1s"},"tags":["a"],"owner":{"kind":"any"},"on_end":{"shell":"x"}})",
      R"({"runs":[{"name":"a"},{"delay":"1s"}]})",
      R"({"items":[{"run_id":"run_00NF2XPW00000","token":"t","fencing":1,"outcome":"failed","class":"error","retry_after":"1m"}]})",
      R"({"filter":{"state":["failed"],"tag":"x","created_from":"2026-01-01T00:00:00Z"},"dry_run":true})",
      R"({"session":"ses_00NF2XPW00000","max":10,"wait":"30s","lease":"5m"})",
      R"({"kind":"job","definition":{"name":"a","handler":{"shell":"x"}},"pauses":[{"reason":"m","since":"2026-01-01T00:00:00Z"}],"state":"paused"})",
      R"({"token":"t","fencing":1,"result":{"x":"\ud83d\ude00"},"usage":{"user_cpu":"1s","peak_memory":"1MiB"}})"};
  return all;
}

std::string mutated() {
  auto text = *rc::gen::elementOf(seeds());
  const auto edits = *rc::gen::inRange(1, 6);
  for (int i = 0; i < edits && !text.empty(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    switch (*rc::gen::inRange(0, 5)) {
      case 0: text.erase(at, *rc::gen::inRange<std::size_t>(1, 12)); break;
      case 1:
        text.insert(at, *rc::gen::elementOf(std::vector<std::string>{"{", "}", "[", "]", "\"", ",", ":",
                                                                     "null", "1e999", "-0", "\\u0000",
                                                                     "\\ud800", "\xff", " "}));
        break;
      case 2: text[at] = *rc::gen::arbitrary<char>(); break;
      case 3: text.insert(at, text.substr(at / 2, *rc::gen::inRange<std::size_t>(0, 40))); break;
      default: std::swap(text[at], text[text.size() - 1 - at]); break;
    }
  }
  return text;
}

// Valid JSON of some depth.
rc::Gen<nlohmann::json> any_json(int depth) {
  using j = nlohmann::json;
  auto leaf = rc::gen::oneOf(rc::gen::map(rc::gen::arbitrary<int>(), [](int i) { return j(i); }),
                             rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return j(b); }),
                             rc::gen::map(rc::gen::string<std::string>(),
                                          [](const std::string& s) {
                                            std::string plain;
                                            for (const char c : s)
                                              if (c >= 0) plain += c;
                                            return j(plain);
                                          }),
                             rc::gen::just(j(nullptr)));
  if (depth == 0) return leaf;
  auto inner = rc::gen::exec([depth] { return *any_json(depth - 1); });
  return rc::gen::oneOf(
      leaf,
      rc::gen::map(rc::gen::resize(4, rc::gen::container<std::vector<j>>(inner)),
                   [](const std::vector<j>& v) { return j(v); }),
      rc::gen::map(
          rc::gen::resize(
              4, rc::gen::container<std::map<std::string, j>>(
                     rc::gen::elementOf(std::vector<std::string>{"a", "b", "c\n", "\xC3\xBC"}), inner)),
          [](const std::map<std::string, j>& m) { return j(m); }));
}

}  // namespace

TEST_CASE("json properties: random bytes end in a value or a refusal", "[api][json][property]") {
  rc::prop("bytes", [] { decode_all(*rc::gen::arbitrary<std::string>()); });
  rc::prop("mutated bodies", [] {
    for (int i = 0; i < 10; ++i) decode_all(mutated());
  });
}

TEST_CASE("json properties: what is taken agrees with another parser", "[api][json][property]") {
  rc::prop("mutated bodies", [] {
    for (int i = 0; i < 10; ++i) {
      const auto text = mutated();
      const auto ours = document::parse(text);
      const auto theirs = nlohmann::json::parse(text, nullptr, false);
      // The other one takes a key twice, and refuses numbers beyond double and a byte order mark differs.
      if (ours && theirs.is_discarded()) RC_ASSERT(text.find("999") != std::string::npos);
      if (!ours && !theirs.is_discarded())
        RC_ASSERT(ours.error().text.find("twice") != std::string::npos ||
                  ours.error().text.find("deeper") != std::string::npos);
    }
  });
  rc::prop("a value is the same after a journey as payload", [] {
    const auto value = *any_json(3);
    const auto d = read_submission("{ \"payload\" : " + value.dump(2) + " }", now);
    RC_ASSERT(d.ok());
    RC_ASSERT(nlohmann::json::parse(d->spec->payload) == value);
    RC_ASSERT(d->spec->payload == value.dump());
  });
}

TEST_CASE("json properties: whatever text is written, it is JSON and comes back", "[api][json][property]") {
  rc::prop("bytes", [] {
    const auto text = *rc::gen::arbitrary<std::string>();
    writer w;
    w.begin_object().member("t", text).end_object();
    const auto back = nlohmann::json::parse(w.str());
    if (core::valid_utf8(text)) RC_ASSERT(back.at("t").get<std::string>() == text);
  });
  rc::prop("times", [] {
    const auto us = *rc::gen::inRange<std::int64_t>(1, 253'402'300'799'999'999);
    std::string text;
    append_instant(text, core::from_micros(us));
    RC_ASSERT(text == core::to_rfc3339(core::from_micros(us)));
  });
  rc::prop("ids", [] {
    const auto v = *rc::gen::inRange<std::int64_t>(1, INT64_MAX);
    writer w;
    w.id_value("run_", v);
    RC_ASSERT(w.str() == "\"" + core::id_text("run_", v) + "\"");
  });
}

TEST_CASE("json properties: a line of an export is read and written as the same line",
          "[api][json][property]") {
  rc::prop("lines", [] {
    core::job j;
    j.id = core::job_id{*rc::gen::inRange<std::int64_t>(1, std::int64_t{1} << 62U)};
    j.revision = *rc::gen::inRange<std::uint32_t>(1, 1'000'000);
    const auto at = [] {
      return now + std::chrono::microseconds{
                       *rc::gen::inRange<std::int64_t>(-100'000'000'000'000, 100'000'000'000)};
    };
    j.created_at = at();
    j.updated_at = at();
    j.created_by = *rc::gen::element<std::string>("cli:ada", "api", "ses_x \u00fc");
    j.triggered = *rc::gen::inRange<std::int64_t>(0, 1'000'000'000);
    j.state = static_cast<core::job_state>(*rc::gen::inRange(0, 4));
    if (j.state == core::job_state::paused || *rc::gen::arbitrary<bool>()) {
      if (j.state == core::job_state::active) j.state = core::job_state::paused;
      core::pause_entry p{"manual", "operator", *rc::gen::element<std::string>("", "till Monday"), at()};
      p.by = "cli:ada";
      if (*rc::gen::arbitrary<bool>()) p.until = at();
      if (*rc::gen::arbitrary<bool>()) p.deadline = at();
      if (p.deadline != core::never && *rc::gen::arbitrary<bool>()) p.drained_at = at();
      p.probes = *rc::gen::arbitrary<bool>();
      p.ahead = *rc::gen::arbitrary<bool>();
      j.pauses.push_back(std::move(p));
    }
    core::job_definition d;
    d.name = "nightly";
    d.spec.name = d.name;
    d.source = "api";
    d.spec.process.argv = {"x", *rc::gen::element<std::string>("", "a b", "\xC3\xBC")};
    d.spec.retry.max_attempts = *rc::gen::inRange<std::uint16_t>(1, 10);
    d.spec.timeout = core::span{*rc::gen::inRange<std::int64_t>(0, 3600) * 1'000'000};
    d.timing.schedule = *rc::gen::element<std::string>("", "0 9 * * 1-5; zone Europe/Berlin",
                                                       "@at 2026-01-01T00:00:00.000Z; zone UTC");
    if (!d.timing.schedule.empty()) {
      d.timing.policy.missed = static_cast<core::catch_up>(*rc::gen::inRange(0, 3));
      d.timing.policy.most_runs = *rc::gen::inRange<std::int64_t>(0, 100);
      if (d.timing.policy.most_runs > 0 && *rc::gen::arbitrary<bool>())
        d.timing.policy.most_runs_of = core::run_count::successes;
      j.cursor = {at(), *rc::gen::inRange<std::int64_t>(0, 100), {at()}};
      j.cursor.succeeded = *rc::gen::inRange<std::int64_t>(0, 100);
      if (*rc::gen::arbitrary<bool>()) j.cursor.covered = core::never;
    }
    j.definition = std::make_shared<const core::job_definition>(d);
    writer w;
    write_export_line(w, j);
    const auto line = read_import_line(w.str());
    if (!line) RC_FAIL(line.error().text + ": " + w.str());
    RC_ASSERT(line->whole);
    RC_ASSERT(line->past == core::past_of(j));
    RC_ASSERT(line->job.definition == d);
    core::job again = j;
    again.definition = std::make_shared<const core::job_definition>(line->job.definition);
    writer second;
    write_export_line(second, again);
    RC_ASSERT(second.str() == w.str());
  });
  for (
      const auto* bad :
      {R"({"format":3,"definition":{"name":"a","handler":{"kind":"none"}}})",
       R"({"format":2,"state":"active","pauses":[{"reason":"manual"}],"definition":{"name":"a"}})",
       R"({"format":2,"cursor":{"recent":["2026-01-02T00:00:00Z","2026-01-01T00:00:00Z"]},"definition":{"name":"a"}})",
       R"({"format":2,"revision":0,"definition":{"name":"a"}})",
       R"({"format":2,"colour":1,"definition":{"name":"a"}})"})
    CHECK_FALSE(read_import_line(bad).ok());
}

}  // namespace belfry::api::json
