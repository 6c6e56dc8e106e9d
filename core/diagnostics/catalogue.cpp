#include "core/diagnostics/catalogue.hpp"

#include <array>
#include <cctype>

namespace belfry::core {
namespace {

using enum diagnostic_area;

constexpr std::array table{
    // ---- why a run is not done
    diagnostic{wait, "blocked", "A dependency, an approval or a stage is missing.",
               "the missing part, or a decision that it is not needed", "belfry run cancel RUN"},
    diagnostic{wait, "not_before", "It is not to start before its time.", "its time, or your word",
               "belfry run run-now RUN"},
    diagnostic{wait, "fire_limit", "Schedules have started as many runs as they may; it starts later.",
               "its time, a higher limit for those to come, or your word", "belfry run run-now RUN"},
    diagnostic{wait, "retry_delay", "An attempt failed, and the pause before the next one is not over.",
               "the end of the pause, or your word", "belfry run run-now RUN"},
    diagnostic{wait, "parked", "A named resource is away until a time; no attempt was used up.",
               "that time, or your word when the resource is back", "belfry run run-now RUN"},
    diagnostic{wait, "handler_unknown",
               "What performs it was written by another belfry, and this one does not know it.",
               "a belfry that knows it, or a cancel", "belfry run cancel RUN"},
    diagnostic{wait, "due", "Its time has come and it is about to be queued.",
               "a moment; when it stays, the timers of the node are stuck", "belfry doctor"},
    diagnostic{wait, "needs_attention",
               "Nobody took it through all rungs of the ladder: a person has to look.",
               "a successor after the cause is mended, or a cancel",
               "belfry run recover RUN --reason 'what was mended'"},
    diagnostic{wait, "claimed", "A session has it and has not said that it began.",
               "its start, the end of its lease, or force", "belfry run force-release RUN --reason WHY"},
    diagnostic{wait, "running", "A session is at work on it.",
               "its end, its timeout, the end of its lease, or force", "belfry run logs -f RUN"},
    diagnostic{wait, "cancel_requested", "Whoever has it was asked to stop and has not stopped yet.",
               "its answer, the end of its lease, or force", "belfry run force-release RUN --reason WHY"},
    diagnostic{wait, "lease_expired", "The lease ran out, and the sweeper is about to take the run back.",
               "a moment; when it stays, the sweeper is stuck", "belfry doctor"},
    diagnostic{wait, "scheduler_paused",
               "The scheduler as a whole is paused; the text says who did it and why.",
               "a resume by whoever paused it, or its end", "belfry scheduler pauses"},
    diagnostic{wait, "workspace_paused", "Its workspace is paused.",
               "a resume by whoever paused it, or its end", "belfry scheduler pauses"},
    diagnostic{wait, "job_paused", "Its job is paused.", "a resume by whoever paused it, or its end",
               "belfry scheduler pauses"},
    diagnostic{wait, "agent_type_paused", "Every agent type that may take it is paused.",
               "a resume by whoever paused it, or its end", "belfry scheduler pauses"},
    diagnostic{wait, "global_limit", "As many runs are under way as the node allows.",
               "the end of one of them, or a higher limit", "belfry limits set --global N"},
    diagnostic{wait, "agent_type_limit",
               "As many runs are under way with each agent type that may take it as is allowed.",
               "the end of one of them, or a higher limit", "belfry limits set --per-agent-type N"},
    diagnostic{wait, "lane_limit", "As many runs of its lane are under way as is allowed.",
               "the end of one of them, or a higher limit", "belfry limits set --per-lane N"},
    diagnostic{wait, "batch_limit", "As many runs of its batch are under way as is allowed.",
               "the end of one of them, or a higher limit", "belfry limits set --per-batch N"},
    diagnostic{wait, "key_limit", "As many runs with its concurrency key are under way as it allows.",
               "the end of one of them", "belfry run list --state running,claimed"},
    diagnostic{wait, "job_limit", "As many runs of its job are under way as the job allows.",
               "the end of one of them, or a job that allows more",
               "belfry run list --state running,claimed"},
    diagnostic{wait, "behind_others", "Other runs that could start come first.",
               "its turn, or a more urgent priority", "belfry run priority urgent RUN"},
    diagnostic{wait, "no_session", "It is next, and no session that may take it has asked for work.",
               "a claim by one of them", "belfry session list"},
    diagnostic{wait, "all_busy", "The sessions that may take it have no free slot or wait for a prompt.",
               "the end of what they do, or another session", "belfry session list"},
    diagnostic{wait, "no_capable_session", "No session here fits what the run asks for.",
               "a session that fits; the table below says what each of these lacks",
               "belfry session register NAME --cap CAPABILITY"},
    diagnostic{wait, "being_claimed", "A claim of it is on its way to the store.", "a moment",
               "belfry run explain RUN"},
    diagnostic{wait, "hook_refused", "The claim hook refused it to every session that may take it.",
               "another answer of the hook, which is asked again with the next claim",
               "belfry run explain RUN"},
    diagnostic{wait, "hook_failed", "The claim hook fails, so nothing that it is asked about is handed over.",
               "a hook that answers; it is asked again by itself", "belfry doctor"},
    diagnostic{wait, "unknown", "The queue could not be asked.", "a node that is well", "belfry doctor"},
    // ---- why a session may not
    diagnostic{session, "unknown_session", "Nobody is registered under this id.", "a registration",
               "belfry session register NAME"},
    diagnostic{session, "session_draining", "An operator asked it to take nothing more.",
               "an operator's word", "belfry session resume SESSION"},
    diagnostic{session, "session_paused", "It said itself that it takes nothing now.", "its own word",
               "belfry session heartbeat SESSION --state active"},
    diagnostic{session, "session_stale", "It has shown no sign of life for too long.", "a sign of life",
               "belfry session heartbeat SESSION"},
    diagnostic{session, "session_gone", "It has left.", "a new registration",
               "belfry session register NAME --id SESSION"},
    diagnostic{session, "prompting", "It said that it waits for a prompt.", "its own word",
               "belfry session heartbeat SESSION --not-prompting"},
    diagnostic{session, "no_free_slot", "It holds as many runs as it has slots.", "the end of one of them",
               "belfry session show SESSION"},
    diagnostic{session, "targeted_in_cycle", "It was chosen for another run in this cycle.", "the next cycle",
               ""},
    diagnostic{session, "workspace_mismatch", "Run and session belong to different workspaces.",
               "a session of the workspace of the run", "belfry session register NAME --workspace WORKSPACE"},
    diagnostic{session, "channel_mismatch", "The run asks for a channel that the session is not on.",
               "a session on that channel", "belfry session register NAME --channel CHANNEL"},
    diagnostic{session, "owner_mismatch", "Only one certain session may take the run.",
               "a claim by that session", "belfry run show RUN"},
    diagnostic{session, "person_only", "The run is for a person, not for a session.",
               "a person who does it and says so", "belfry run show RUN"},
    diagnostic{session, "agent_type_not_allowed", "The run does not allow this agent type.",
               "a session of an allowed type", "belfry session register NAME --agent-type TYPE"},
    diagnostic{session, "missing_capability", "The session lacks a capability that the run asks for.",
               "a session that has all of them", "belfry session register NAME --cap CAPABILITY"},
    diagnostic{session, "handler_mismatch", "The session does not perform this kind of handler.",
               "a session of the other kind", "belfry session list"},
    diagnostic{session, "scheduler_paused", "The scheduler as a whole is paused.",
               "a resume by whoever paused it, or its end", "belfry scheduler pauses"},
    diagnostic{session, "workspace_paused", "Its workspace, or that of the run, is paused.",
               "a resume by whoever paused it, or its end", "belfry scheduler pauses"},
    diagnostic{session, "job_paused", "The job of the run is paused.",
               "a resume by whoever paused it, or its end", "belfry scheduler pauses"},
    diagnostic{session, "agent_type_paused", "Its agent type is paused.",
               "a resume by whoever paused it, or its end", "belfry scheduler pauses"},
    diagnostic{session, "global_limit", "As many runs are under way as the node allows.",
               "the end of one of them, or a higher limit", "belfry limits set --global N"},
    diagnostic{session, "agent_type_limit", "As many runs are under way with its agent type as is allowed.",
               "the end of one of them, or a higher limit", "belfry limits set --per-agent-type N"},
    diagnostic{session, "lane_limit", "As many runs of the lane of the run are under way as is allowed.",
               "the end of one of them, or a higher limit", "belfry limits set --per-lane N"},
    diagnostic{session, "batch_limit", "As many runs of the batch of the run are under way as is allowed.",
               "the end of one of them, or a higher limit", "belfry limits set --per-batch N"},
    diagnostic{session, "key_limit",
               "As many runs with the concurrency key of the run are under way as it allows.",
               "the end of one of them", "belfry run list --state running,claimed"},
    diagnostic{session, "job_limit", "As many runs of the job of the run are under way as the job allows.",
               "the end of one of them", "belfry run list --state running,claimed"},
    diagnostic{session, "behind_others", "A claim by this session would get another run first.",
               "its turn, or a more urgent priority", "belfry run priority urgent RUN"},
    diagnostic{session, "hook_refused", "The claim hook refused the run to this session.",
               "another answer of the hook, which is asked again with a claim after claim_hook.retry_after",
               "belfry config show"},
    diagnostic{session, "hook_failed",
               "The claim hook failed when it was asked about this session, and nothing is handed over.",
               "a hook that answers; it is asked again by itself, after a pause", "belfry doctor"},
    diagnostic{session, "hook_asked", "The claim hook is being asked about a claim of this session.",
               "its answer, or the end of claim_hook.timeout", "belfry scheduler status"},
    diagnostic{session, "not_queued", "The run is not in line: nobody can claim it now.",
               "what its own explanation says", "belfry run explain RUN"},
    // ---- what is wrong with the node
    diagnostic{doctor, "node_unreachable", "The node does not answer.", "a node that runs", "belfry serve"},
    diagnostic{doctor, "node_silent", "A part of the node did not answer the doctor.",
               "see the log of the node; a restart", "belfry status"},
    diagnostic{doctor, "node_starting", "The node reads its store and takes no work yet.", "a moment",
               "belfry health --ready"},
    diagnostic{doctor, "node_stopping", "The node is being stopped and takes no new work.",
               "its end, and a new start", "belfry serve"},
    diagnostic{doctor, "part_restarting", "A part of the node crashed and is being started again.",
               "a start that holds; see the log of the node", "belfry status"},
    diagnostic{doctor, "part_given_up", "A part of the node crashed too often and is not started any more.",
               "a restart of the node, after a look at its log", "belfry status"},
    diagnostic{doctor, "failed", "The node lost a part that it cannot do without.", "a restart of the node",
               "belfry serve"},
    diagnostic{doctor, "store_trouble", "The store refuses writes.",
               "what the text says; running work goes on", "belfry backup verify"},
    diagnostic{doctor, "actor_given_up", "A part of the node crashed too often and is not started any more.",
               "a restart of the node, after a look at its log", "belfry status"},
    diagnostic{doctor, "executor_given_up", "An executor crashed too often and is not started any more.",
               "a restart of the node, after a look at its log", "belfry events --kind executor_given_up"},
    diagnostic{doctor, "disk_low", "Little room is left on the disk of the store.", "room",
               "belfry retention run --dry-run"},
    diagnostic{doctor, "disk_full", "So little room is left that new work is refused.",
               "room; it goes on by itself", "belfry retention run --dry-run"},
    diagnostic{doctor, "durability_normal",
               "A power cut may lose the last commits, although they were answered.",
               "store.durability = \"full\" in the configuration", "belfry config show"},
    diagnostic{doctor, "store_in_memory", "The store forgets everything at the end of the process.",
               "store.kind = \"sqlite\" in the configuration", "belfry config show"},
    diagnostic{doctor, "clock_jumped",
               "The wall clock has moved against the steady one since the node started.",
               "a clock that is kept right (NTP); leases got a grace period by themselves", "belfry status"},
    diagnostic{doctor, "scheduler_stale", "The scheduler has not finished a cycle for long.",
               "see the log of the node; a rebuild or a restart", "belfry scheduler rebuild"},
    diagnostic{
        doctor, "claim_hook_failing",
        "The claim hook does not answer as it should: it is too slow, crashes or says what cannot be read.",
        "a hook that answers; see the guide on claim hooks", "belfry events --kind claim_hook_failed"},
    diagnostic{doctor, "overdue_runs", "Runs wait for a time that has passed: the timers are late.",
               "your word for each, or a rebuild of the queue", "belfry scheduler rebuild"},
    diagnostic{doctor, "leases_overdue", "Leases have run out and were not taken back: the sweeper is late.",
               "a rebuild of the queue, or force for one run", "belfry scheduler rebuild"},
    diagnostic{doctor, "queue_nearly_full", "The queue is near the number at which submissions are refused.",
               "more workers, less work, or a higher queue.max_queued", "belfry scheduler status"},
    diagnostic{doctor, "queue_full", "Submissions are refused: the queue is full.",
               "more workers, less work, or a higher queue.max_queued", "belfry scheduler status"},
    diagnostic{doctor, "backpressure",
               "So much is queued that submitters are told, or refused (backpressure.mode).",
               "more workers, or less work; it ends by itself", "belfry scheduler status"},
    diagnostic{doctor, "provider_limited",
               "A provider has a limit until a time: its agent types are held, then one probe goes first.",
               "that time, or a resume when the limit is known to be over", "belfry scheduler pauses"},
    diagnostic{doctor, "starved", "A claimable run has waited for long and nobody takes it.",
               "what its explanation says", "belfry run explain RUN"},
    diagnostic{doctor, "no_capable_session", "A queued run fits no session that is here.",
               "a session that fits", "belfry run explain RUN"},
    diagnostic{doctor, "needs_attention", "Runs climbed the whole ladder and wait for a person.",
               "successors, when the cause is mended",
               "belfry run recover --state needs_attention --dry-run --reason WHY"},
    diagnostic{doctor, "dead_letters", "Runs ended badly and nobody has dealt with them.",
               "a retry, or a discard", "belfry run dead"},
    diagnostic{doctor, "dead_letters_aging", "Runs ended badly long ago and nobody has dealt with them.",
               "a retry, or a discard", "belfry run dead --oldest"},
    diagnostic{doctor, "job_failing", "The last runs of a job all ended badly.", "a look at what they say",
               "belfry job stats JOB"},
    diagnostic{doctor, "job_paused", "A job is paused; triggers make no runs.",
               "a resume by whoever paused it", "belfry job resume JOB"},
    diagnostic{doctor, "scheduler_paused", "The scheduler as a whole is paused: nothing is claimed.",
               "a resume by whoever paused it", "belfry scheduler pauses"},
    diagnostic{doctor, "workspace_paused", "A workspace is paused: nothing of it is claimed.",
               "a resume by whoever paused it", "belfry scheduler pauses"},
    diagnostic{doctor, "agent_type_paused", "An agent type is paused: it is given nothing.",
               "a resume by whoever paused it", "belfry scheduler pauses"},
    diagnostic{doctor, "breaker_open", "A job was paused because its runs failed one after another.",
               "a resume after the cause is mended", "belfry job resume JOB --reason breaker"},
    diagnostic{doctor, "run_stalled", "A running run has shown no sign of work for long.",
               "progress, its timeout, or force", "belfry run explain RUN"},
    diagnostic{doctor, "session_suspect", "A session is late with its signs of life.",
               "a sign of life; nothing is taken from it before its lease ends",
               "belfry session show SESSION"},
    diagnostic{doctor, "session_missing", "A session has been silent for too long; it holds nothing.",
               "a sign of life, or its removal", "belfry session remove SESSION"},
    diagnostic{doctor, "session_orphaned", "A session is gone or silent and still holds leases.",
               "the end of the leases, or force for the runs", "belfry session show SESSION"},
    diagnostic{doctor, "store_missing", "There is no store in the data folder.",
               "the right folder, or a first start", "belfry doctor --data DIR"},
    diagnostic{doctor, "store_held", "A process has the data folder, but its node does not answer.",
               "a look at that process", "belfry doctor --server unix:/PATH/belfry.sock"},
    diagnostic{doctor, "store_unreadable", "The store cannot be read.", "a restored backup",
               "belfry backup restore FILE"},
    diagnostic{doctor, "schema_newer", "The store was written by a newer belfry.",
               "that belfry, or a newer one", "belfry version"},
    diagnostic{doctor, "schema_older",
               "The store is from an older belfry; it is brought up to date at the next start.",
               "a start of the node", "belfry serve"},
};

bool word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }

}  // namespace

std::string_view to_text(diagnostic_area a) {
  switch (a) {
    case wait: return "wait";
    case session: return "session";
    case doctor: return "doctor";
  }
  return "unknown";
}

const std::vector<diagnostic>& all_diagnostics() {
  static const std::vector<diagnostic> all(table.begin(), table.end());
  return all;
}

const diagnostic* find_diagnostic(diagnostic_area area, std::string_view code) {
  for (const auto& d : table)
    if (d.area == area && d.code == code) return &d;
  return nullptr;
}

std::string command_of(const diagnostic& d, const diagnostic_subject& about) {
  std::string out;
  for (std::size_t i = 0; i < d.command.size();) {
    std::size_t end = i;
    while (end < d.command.size() && word(d.command[end])) ++end;
    if (end == i) {
      out += d.command[i++];
      continue;
    }
    const auto name = d.command.substr(i, end - i);
    const auto put = [&](std::string_view placeholder, const std::string& value) {
      if (name != placeholder || value.empty()) return false;
      out += value;
      return true;
    };
    if (!put("RUN", about.run) && !put("SESSION", about.session) && !put("JOB", about.job)) out += name;
    i = end;
  }
  return out;
}

}  // namespace belfry::core
