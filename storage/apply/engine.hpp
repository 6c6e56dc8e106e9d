// ENGINE: the rules of a change set, the same for every store. It reads rows, asks core what is to happen,
// and writes what core answered. Whatever can be refused is decided before the first write of a change; a set
// of several changes runs under a mark, so that a later refusal takes the earlier changes back.
//
// The store opens and ends transactions and tells the engine how they ended.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/errors/result.hpp"
#include "core/events/event_listeners.hpp"
#include "core/ids/id.hpp"
#include "core/pause/backoff.hpp"
#include "core/pause/pauses.hpp"
#include "storage/apply/rows.hpp"
#include "storage/apply/tallies.hpp"
#include "storage/contract/change.hpp"
#include "storage/contract/rules.hpp"

namespace belfry::core {
struct schedule;
struct schedule_context;
struct planned_time;
struct fire_line;
struct plan_decision;
struct event_firing;
struct arriving;
}  // namespace belfry::core

namespace belfry::storage {

// At most so many late writes are kept per run; each one more is still an event.
inline constexpr std::size_t evidence_per_run = 100;

// Live leases that a job's runs may have, as the board wants it: max_concurrent with `allow`, else 1.
std::uint32_t job_limit_of(const core::job_definition& d);

class engine {
 public:
  // `greatest_run`: the greatest id among the runs; it can be one that a caller gave.
  engine(rows& r, std::uint8_t node, const tallies& durable, core::run_id greatest_run);

  core::result<receipt> apply(const change_set& set);
  void committed();  // what was applied since is durable now
  void given_up();   // what was applied since is lost

  // As they will be after the commit, and as they were after the last one.
  tallies pending() const;
  const tallies& durable() const { return durable_; }
  // What is decided from now on is decided by these.
  void follow(const store_rules& rules) { rules_ = rules; }
  // As of the last commit.
  core::pressure pressure(core::instant now) const;
  std::vector<core::learned_delay> delays() const { return durable_delays_.all(); }
  // Events of the last commit, for whoever asks for them at once.
  const std::vector<core::event>& last_committed_events() const { return told_; }

 private:
  struct work;  // one change set under way

  core::result<receipt> replay(const remembered& made);
  void remember(const change_set& set, const receipt& answer);
  std::optional<core::failure> apply_changes(work& w);

  std::optional<core::failure> apply_one(work& w, const insert_runs& c);
  std::optional<core::failure> apply_one(work& w, const step_run& c);
  std::optional<core::failure> apply_one(work& w, const trigger_job& c);
  std::optional<core::failure> apply_one(work& w, const redrive_run& c);
  std::optional<core::failure> apply_one(work& w, const recover_run& c);
  std::optional<core::failure> apply_one(work& w, const put_job& c);
  std::optional<core::failure> apply_one(work& w, const archive_job& c);
  std::optional<core::failure> apply_one(work& w, const pause_job& c);
  std::optional<core::failure> apply_one(work& w, const resume_job& c);
  std::optional<core::failure> apply_one(work& w, const storage::put_session& c);
  std::optional<core::failure> apply_one(work& w, const end_session& c);
  std::optional<core::failure> apply_one(work& w, const change_session& c);
  std::optional<core::failure> apply_one(work& w, const adopt_result& c);
  std::optional<core::failure> apply_one(work& w, const append_log& c);
  std::optional<core::failure> apply_one(work& w, const note_event& c);
  std::optional<core::failure> apply_one(work& w, const storage::put_limits& c);
  std::optional<core::failure> apply_one(work& w, const put_pause& c);
  std::optional<core::failure> apply_one(work& w, const lift_pause& c);
  std::optional<core::failure> apply_one(work& w, const note_drained& c);
  std::optional<core::failure> apply_one(work& w, const prune_history& c);
  std::optional<core::failure> apply_one(work& w, const prune_events& c);
  std::optional<core::failure> apply_one(work& w, const prune_keys& c);
  std::optional<core::failure> apply_one(work& w, const age_dead_letters& c);
  std::optional<core::failure> apply_one(work& w, const storage::put_worker& c);
  std::optional<core::failure> apply_one(work& w, const climb_ladder& c);
  std::optional<core::failure> apply_one(work& w, const keep_statistics& c);
  std::optional<core::failure> apply_one(work& w, const plan_job& c);
  std::optional<core::failure> apply_one(work& w, const emit_event& c);
  std::optional<core::failure> apply_one(work& w, const storage::put_calendar& c);
  std::optional<core::failure> apply_one(work& w, const storage::remove_calendar& c);
  std::optional<core::failure> apply_one(work& w, const replan_calendar& c);
  std::optional<core::failure> apply_one(work& w, const storage::put_window& c);
  std::optional<core::failure> apply_one(work& w, const storage::remove_window& c);
  std::optional<core::failure> apply_one(work& w, const tell_node& c);

  // Parts that several changes use.
  std::int64_t fresh_id(core::instant now);
  core::run make(work& w, const core::submission& s, core::run_id id, core::batch_id batch);
  void announce(work& w, const core::run_head& head);
  void write_step(work& w, const run_row& before, core::run_step& step);
  core::run redrive(work& w, const run_row& row, core::submission s);
  void run_hook(work& w, const run_row& finished, std::shared_ptr<const core::run_spec> spec);
  std::shared_ptr<const core::run_spec> spec_of(const core::run_head& head);
  void count(const core::run_head& head, std::int64_t by);
  void append(work& w, core::event e);
  void append(work& w, core::event_kind kind, core::run_id run, core::job_id job, std::string text);
  void keep_evidence(work& w, const core::run_refusal& refusal, core::run_id run);
  core::result<core::job> living_job(core::job_id id);
  core::result<core::job> new_job(work& w, const put_job& c);
  std::optional<core::failure> try_job(work& w, core::job& j);
  void end_trial(work& w, const core::run_head& finished);
  core::result<core::job> replaced_job(work& w, const put_job& c);
  void replace_run(work& w, const run_row& row, core::run_id by);

  // imports.cpp
  std::optional<core::job> job_of_line(const put_job& c);
  std::optional<core::failure> import_job(work& w, const put_job& c);
  std::optional<core::failure> resume_schedule(work& w, core::job* there, core::job& j);
  void write_imported(work& w, const core::job* there, core::job& j);

  std::string skip_reason(const core::job& j, const std::vector<run_row>& open) const;

  core::submission of_job(const core::job& j, const std::string& actor) const;
  core::run make_of_job(work& w, core::job& j, core::submission s, bool force);

  // schedules.cpp
  std::shared_ptr<const core::schedule> schedule_of(const core::job& j, std::string& why);
  std::optional<core::failure> begin_schedule(work& w, core::job& j);
  std::optional<core::failure> change_schedule(work& w, core::job& before, core::job& j);
  void record_paused(work& w, core::job& j, core::instant upto);
  void follow_pause(work& w, core::job& j, bool was_paused, core::instant ended);
  void advance(work& w, core::job& j, bool after_crash_loop);
  void advance(work& w, core::job& j, const core::schedule& s, bool after_crash_loop);
  core::plan_cursor take_over(work& w, core::job& j, const core::schedule& before,
                              const core::schedule& after);
  bool fire(work& w, core::job& j, core::planned_time p);
  void take_plan(work& w, core::job& j, const core::plan_decision& d);
  void hold_unplannable(work& w, core::job& j, const std::string& why);
  core::instant next_occurrence_of(core::job_id id);
  std::vector<core::fire_line> fire_lines_of(const core::job& j);

  // completions.cpp
  void read_watched();
  void note_end(work& w, const core::run_head& ended);
  void may_end(work& w, core::job_id id);
  void end_jobs(work& w);
  void end_job(work& w, core::job_id id, std::int64_t succeeded);
  void watch(work& w, core::job_id id);
  std::string enough_under_way(const core::job& j, const std::vector<run_row>& open) const;

  // events.cpp
  void read_listeners();
  void listen(const core::job& j);
  void hear(work& w);
  void arrive(work& w, const core::arriving& e, core::emitted& sum);
  void arrive_at(work& w, core::job& j, const core::arriving& e, core::emitted& sum);
  void start_by_event(work& w, core::job& j, const core::event_firing& f, const core::named_event& e);
  void release(work& w, core::job& j, const core::schedule& s, bool after_crash_loop, bool at_once);
  void resume_events(work& w, core::job& j, const core::schedule& s, core::instant ended);
  void drop_events(work& w, core::job& j);
  void tell_skipped(work& w, const core::job& j, const core::skip_range& r);
  std::uint16_t depth_of(const core::run_head& head);
  core::named_event told_of(const core::event& e, std::uint16_t& depth);

  std::shared_ptr<const core::schedule> read_schedule(const std::string& text, std::string& why);

  // calendars.cpp
  core::schedule_context calendars_now();
  const core::named_calendar* known_calendar(std::string_view name);
  void forget_calendars();
  std::optional<core::failure> unknown_calendar(const std::string& schedule);
  void note_uses(const core::job& j, const std::string& before);
  void replan(work& w, core::job& j);
  void replan_some(work& w, core::named_calendar c, std::size_t at_most);
  void replan_windows(work& w, const std::string& calendar);

  // windows.cpp
  std::optional<core::failure> plan_window(work& w, core::window& what, core::instant after);
  std::optional<core::failure> lift_window(work& w, const core::window& what);
  void follow_window(work& w, const core::pause_target& on, const std::string& owner);
  std::optional<core::failure> in_window(const core::run_head& head, core::instant now);

  // pauses.cpp
  std::optional<core::failure> held_claim(const core::run_head& head, const core::cmd_claim& claim,
                                          core::instant now);
  void pause(work& w, const core::pause_target& on, core::pause_decision d, core::job* j);
  std::optional<core::failure> pause_job_for(work& w, core::job j, const core::pause_entry& entry);
  std::optional<core::failure> resume_job_for(work& w, core::job j, const std::string& reason,
                                              const std::string& owner, bool only_over);
  void back_off(work& w, const core::attempt_record& ended);

  // pressure.cpp
  void read_lessons();
  core::pressure press(std::int64_t queued, core::instant since, core::instant now) const;
  std::optional<core::failure> refuse_submission(const work& w, const insert_runs& c) const;
  void watch_pressure(work& w);
  void say_what_was_lost(work& w);
  void learn_limit(work& w, const std::string& agent_type);
  void tell_delay(work& w, const std::string& agent_type, core::span before);
  void start_probe(work& w, const core::run_head& claimed);
  void end_probe(work& w, const core::attempt_record& ended, core::instant due_at);
  void learn(work& w, const core::attempt_record& ended);
  void hold_type(work& w, const core::cmd_settle& c, const core::attempt_record& ended);
  std::optional<core::failure> limit_type(work& w, const core::pause_target& on, core::pause_entry entry,
                                          core::run_id run);

  std::shared_ptr<const core::run_past> past_of(const core::run_head& head);
  void append_lines(work& w, const std::vector<core::log_line>& lines, std::uint64_t keep_bytes);
  void drop_oldest(core::run_id run, std::uint32_t attempt, log_size& size, std::uint64_t keep);

  bool prunable(const prune_history& c, const run_row& row);
  void prune_old(work& w, const prune_history& c);
  void prune_excess(work& w, const prune_history& c);
  void prune_run(work& w, const run_row& row);

  rows& rows_;
  core::id_source ids_;
  core::run_id greatest_given_;  // greatest run id that a caller gave
  tallies durable_;
  tallies pending_;
  std::vector<core::event> telling_, told_;
  // What claims are judged by. Shared with the past, so that taking a transaction back costs nothing.
  std::shared_ptr<const core::pauses> paused_, durable_paused_;
  core::backoff backoff_, durable_backoff_;
  store_rules rules_;
  core::instant pressed_since_ = core::never, durable_pressed_since_ = core::never;
  core::departures departures_;  // an estimate: what was taken back counts too
  core::learned_delays delays_, durable_delays_;
  std::size_t unreadable_delays_ = 0;
  // Where retention goes on; derived, so that a restart just begins again.
  core::run_id prune_cursor_;
  std::set<core::job_id> maybe_excess_;
  bool excess_known_ = false;
  // Runs that may have a row of the ladder: all that have one, and perhaps some that have none any more. Most
  // claims need not look.
  std::unordered_set<core::run_id> may_starve_;
  std::vector<core::run_id> fed_;  // of the open transaction
  // Jobs to whom the end of a run may matter: all of them, and perhaps some others. The end of any other run
  // costs one look in here. What no longer belongs leaves after the commit.
  std::unordered_set<core::job_id> watched_;
  std::vector<core::job_id> unwatched_;  // of the open transaction
  // Schedules as they were read from the text of their job; derived, and thrown away when there are too many.
  std::unordered_map<std::string, std::shared_ptr<const core::schedule>> schedules_;
  // Who waits for which events. Whoever does no more is taken away after the commit.
  core::event_listeners listeners_;
  std::vector<std::pair<core::job_id, std::optional<core::event_trigger>>> listening_;  // of the transaction
  // Likewise, of the calendars that schedules name; thrown away with them when a calendar changes.
  std::unordered_map<std::string, std::shared_ptr<const core::named_calendar>> calendars_;
  bool calendars_touched_ = false;  // by the open transaction
};

}  // namespace belfry::storage
