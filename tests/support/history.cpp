#include "tests/support/history.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "tests/support/real_node.hpp"

namespace belfry::test {
namespace {

constexpr std::size_t most_mistakes = 50;

// What an event does to a run: the states in which it may happen, and the one behind it ("" : it stays).
struct rule {
  std::string_view kind;
  std::string_view from;
  std::string_view to;
};

// "ending" stands between lease_expired and what the same commit says next. "waiting" is any state without a
// lease from which the journal does not tell which delay it was.
constexpr std::array rules{
    rule{"run_queued", "scheduled|retrying|parked", "queued"},
    rule{"run_started", "claimed", "running"},
    rule{"run_succeeded", "claimed|running", "succeeded"},
    rule{"run_failed", "claimed|running|forced", "failed"},
    rule{"run_timed_out", "claimed|running", "timed_out"},
    rule{"run_retrying", "claimed|running", "retrying"},
    rule{"run_released", "claimed|running", "queued|scheduled"},
    rule{"run_parked", "claimed|running", "parked"},
    rule{"lease_expired", "claimed|running", "queued|ending"},
    rule{"run_lost", "ending", "lost"},
    rule{"run_cancelled", "blocked|scheduled|queued|claimed|running|retrying|parked|needs_attention|ending",
         "cancelled"},
    rule{"cancel_requested", "claimed|running", ""},
    rule{"run_progress", "claimed|running", ""},
    rule{"run_checkpoint", "claimed|running", ""},
    rule{"priority_changed", "blocked|scheduled|queued|retrying|parked|needs_attention", ""},
    rule{"run_redriven", "failed|timed_out|lost|cancelled|succeeded", ""},
    rule{"run_discarded", "failed|timed_out|lost", ""},
    rule{"dead_letter_aged", "failed|timed_out|lost", ""},
    rule{"needs_attention", "queued", "needs_attention"},
    rule{"run_force_released", "claimed|running", ""},  // run_released or run_cancelled follows
    rule{"run_force_failed", "blocked|scheduled|queued|claimed|running|retrying|parked|needs_attention",
         "forced"},
    rule{"run_recovered", "needs_attention", ""},  // run_cancelled follows
    rule{"job_tried", "succeeded|failed|timed_out|lost|cancelled", ""},
};

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto bar = text.find('|');
    out.push_back(text.substr(0, bar));
    text.remove_prefix(bar == std::string_view::npos ? text.size() : bar + 1);
  }
  return out;
}

bool share(std::string_view a, std::string_view b) {
  const auto left = words(a);
  const auto right = words(b);
  return std::find_first_of(left.begin(), left.end(), right.begin(), right.end()) != left.end();
}

std::string text_of(const json& event, const char* name) {
  const auto it = event.find(name);
  return it != event.end() && it->is_string() ? it->get<std::string>() : std::string{};
}

std::uint64_t number_of(const json& event, const char* name) {
  const auto it = event.find(name);
  return it != event.end() && it->is_number() ? it->get<std::uint64_t>() : 0;
}

bool ends(const std::string& kind) {
  return kind == "run_succeeded" || kind == "run_failed" || kind == "run_timed_out" || kind == "run_lost" ||
         kind == "run_cancelled" || kind == "run_skipped";
}

// Told about a run, and nothing of it changes; gathered, so that they may come late.
bool beside(const std::string& kind) {
  return kind.starts_with("wake_") || kind.starts_with("worker_") || kind.starts_with("spawn_") ||
         kind.starts_with("probe_") || kind == "provider_limited" || kind == "run_starved";
}

}  // namespace

void history::wrong(const json& event, const std::string& why) {
  if (mistakes_.size() < most_mistakes) mistakes_.push_back(why + ": " + event.dump());
}

void history::add(const std::vector<json>& events) {
  for (const auto& e : events) add(e);
}

void history::add(const json& event) {
  ++count_;
  const auto seq = event.value("seq", std::int64_t{0});
  if (seq != last_ + 1) wrong(event, "the journal has a gap or a repetition behind " + std::to_string(last_));
  last_ = seq;
  const auto kind = text_of(event, "kind");
  ++kinds_[kind];
  const auto run = text_of(event, "run_id");
  if (run.empty() || kind == "batch_submitted" || kind == "job_triggered" || kind == "job_fired") return;
  const bool begins = kind == "run_submitted" || kind == "run_skipped";
  const auto found = lives_.find(run);
  if (begins && found != lives_.end()) wrong(event, "the run was made before");
  auto& l = lives_[run];
  if (begins) {
    l.state = kind == "run_skipped" ? "skipped" : "queued|scheduled|blocked";
  } else if (found == lives_.end()) {
    l.state = "queued|scheduled|blocked";  // of a batch
  }
  step(event, kind, l);
  l.last_kind = kind;
  l.last_seq = seq;
  if (ends(kind) && ++l.ends > 1) wrong(event, "the run has ended before");
}

void history::step(const json& event, const std::string& kind, life& l) {
  if (kind == "run_submitted" || kind == "run_skipped" || beside(kind)) return;
  if (kind == "stale_write") {  // changes nothing, and may come at any time; only from a lease that there was
    if (number_of(event, "fencing") > l.fencing)
      wrong(event, "nobody was given this fencing number; the last one was " + std::to_string(l.fencing));
    return;
  }
  if (kind == "run_claimed") return claim(event, l);
  if (kind == "run_adopted") return adopt(event, l);
  if (kind == "lease_reissued") {  // the same attempt under the next number
    if (!share(l.state, "claimed|running")) wrong(event, "not allowed when the run is " + l.state);
    if (number_of(event, "fencing") != l.fencing + 1)
      wrong(event, "the fencing number before was " + std::to_string(l.fencing));
    l.fencing = number_of(event, "fencing");
    return;
  }
  const auto r =
      std::find_if(rules.begin(), rules.end(), [&](const rule& each) { return each.kind == kind; });
  if (r == rules.end()) return wrong(event, "no such kind of event for a run");
  if (!share(l.state, r->from)) return wrong(event, "not allowed when the run is " + l.state);
  // lease_expired may be followed by the end in the same commit, and by nothing else than the very next
  // event.
  if (r->from == "ending" &&
      (l.last_kind != "lease_expired" || l.last_seq + 1 != event.value("seq", std::int64_t{0})))
    wrong(event, "it does not follow the loss");
  const auto fencing = number_of(event, "fencing");
  if (fencing != l.fencing) wrong(event, "the fencing number is not " + std::to_string(l.fencing));
  if (kind == "lease_expired") ++l.losses;
  if (!r->to.empty()) l.state = r->to;
}

void history::claim(const json& event, life& l) {
  if (!share(l.state, "queued")) wrong(event, "claimed when it was " + l.state);
  if (l.ends > 0) wrong(event, "claimed after its end");
  if (number_of(event, "fencing") != l.fencing + 1)
    wrong(event, "the fencing number before was " + std::to_string(l.fencing));
  if (number_of(event, "attempt") != l.attempt + 1)
    wrong(event, "the attempt before was " + std::to_string(l.attempt));
  l.fencing = number_of(event, "fencing");
  l.attempt = static_cast<std::uint32_t>(number_of(event, "attempt"));
  ++l.claims;
  // The executors of the node claim and start in one commit.
  l.state = text_of(event, "text") == "started" ? "running" : "claimed";
}

// A late success becomes an attempt of its own, and the run succeeds with the very next event.
void history::adopt(const json& event, life& l) {
  if (!share(l.state, "scheduled|queued|claimed|running|retrying|parked|needs_attention"))
    wrong(event, "adopted when it was " + l.state);
  if (number_of(event, "fencing") != l.fencing + 1 || number_of(event, "attempt") != l.attempt + 1)
    wrong(event, "an adoption takes the next fencing number and the next attempt");
  l.fencing = number_of(event, "fencing");
  l.attempt = static_cast<std::uint32_t>(number_of(event, "attempt"));
  l.state = "running";
}

std::int64_t history::count_of(const std::string& kind) const {
  const auto it = kinds_.find(kind);
  return it == kinds_.end() ? 0 : it->second;
}

std::vector<std::string> history::unfinished() const {
  std::vector<std::string> open;
  for (const auto& [id, l] : lives_)
    if (l.ends == 0) open.push_back(id);
  return open;
}

void history::compare(const json& run) {
  const auto id = text_of(run, "id");
  const auto state = text_of(run, "state");
  const auto found = lives_.find(id);
  if (found == lives_.end()) {
    // A run of a batch that nothing has happened to yet.
    if (state != "queued" && state != "scheduled") wrong(run, "the journal does not know the run");
    return;
  }
  const auto& l = found->second;
  if (!share(l.state, state)) wrong(run, "the journal says " + l.state);
  if (number_of(run, "fencing") != l.fencing)
    wrong(run, "the journal's fencing number is " + std::to_string(l.fencing));
  if (number_of(run, "attempt") != l.attempt)
    wrong(run, "the journal's attempt is " + std::to_string(l.attempt));
  if (number_of(run, "losses") != l.losses)
    wrong(run, "the journal counts " + std::to_string(l.losses) + " losses");
  if (is_terminal(state) != (l.ends == 1)) wrong(run, "the journal has " + std::to_string(l.ends) + " ends");
}

}  // namespace belfry::test
