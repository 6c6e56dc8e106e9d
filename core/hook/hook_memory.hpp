// HOOK MEMORY: what the claim hook said lately, per session.
//
// A refusal of a run holds for a while, so that the same pair is not asked about in a circle; it is told of
// for a minute. A session about which the hook failed is asked again after a pause that doubles from half a
// second to ten. Bounded: a session that was refused as many runs as are remembered is not asked about until
// the first of these refusals is over, and beyond the bound of all sessions what is oldest is forgotten.
// A value; losing it costs a repeated question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ids/id.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

struct hook_memory_bounds {
  std::size_t runs = 1000;        // refusals remembered of one session
  std::size_t sessions = 10'000;  // sessions of which anything is remembered
  span told_for = std::chrono::minutes{1};
  span first_pause = std::chrono::milliseconds{500}, longest_pause = std::chrono::seconds{10};
};

// What was said of a run.
struct hook_word {
  run_id run;
  std::string reason;
  instant at = never;
  instant until = never;  // it holds until then
};

// What went wrong.
struct hook_mishap {
  std::string why;
  instant at = never;
  std::uint32_t times = 0;  // in a row
};

class hook_memory {
 public:
  explicit hook_memory(hook_memory_bounds bounds = {}) : bounds_{bounds} {}

  void refused(session_id who, const std::vector<run_id>& runs, const std::string& reason, instant now,
               span holds_for);
  void allowed(session_id who, const std::vector<run_id>& runs);
  void failed(session_id who, const std::string& why, instant now);
  void worked(session_id who);  // the hook answered as it should
  void forget(session_id who);

  // Whether a refusal of this pair still holds.
  bool holds(session_id who, run_id run, instant now) const;
  // Before then the hook is not asked about this session: it has failed, or nothing more can be remembered.
  // never: it may be asked.
  instant not_before(session_id who, instant now) const;
  // When the next refusal of this session is over; never: none holds.
  instant next_end(session_id who, instant now) const;

  // Within the last minute: why this run was refused to this session.
  std::optional<hook_word> last(session_id who, run_id run, instant now) const;
  // The refusals of the last minute, newest first, at most so many.
  std::vector<hook_word> last(session_id who, instant now, std::size_t most) const;
  // The hook failed within the last minute and has not answered about this session since.
  std::optional<hook_mishap> failing(session_id who, instant now) const;
  // All pairs whose refusal holds.
  std::vector<std::pair<run_id, session_id>> holding(instant now) const;
  std::size_t sessions() const { return sessions_.size(); }
  std::size_t refusals_of(session_id who) const;  // that are remembered, whether they hold or not
  std::size_t refusals() const;

 private:
  struct refusal {
    std::shared_ptr<const std::string> reason;
    instant at = never;
    instant until = never;
    // A clock that was set back ends it: nobody waits for an hour that comes again.
    bool holds(instant now) const { return at <= now && now < until; }
  };
  struct of_session {
    std::map<run_id, refusal> runs;
    hook_mishap last;
    instant not_before = never;
    instant touched = never;
  };
  of_session& touch(session_id who, instant now);
  bool told(instant at, instant now) const { return at <= now && now < later(at, bounds_.told_for); }
  void make_room(of_session& s, instant now);

  hook_memory_bounds bounds_;
  std::map<session_id, of_session> sessions_;
};

// HOOK WATCH: whether the hook works, for people: when its failures are worth an event.
class hook_watch {
 public:
  // Each answers the text of an event that is to be written, or nothing. A hook that keeps failing is told of
  // once a minute.
  std::optional<std::string> failed(const std::string& why, bool open, instant now);
  std::optional<std::string> worked(instant now);

  instant failing_since() const { return since_; }  // never: it works, as far as is known
  const std::string& last_failure() const { return why_; }
  instant failed_at() const { return at_; }

 private:
  instant since_ = never, told_at_ = never, at_ = never;
  std::string why_;
  std::uint64_t times_ = 0;
  bool announced_ = false;
};

}  // namespace belfry::core
