// Made by tools/types.mjs from the OpenAPI document of the node (`belfry openapi`). Do not edit.

/** A process, by argv or shell */
export interface Handler {
  /** Default process */
  kind?: "process" | "none";
  /** The program and its arguments */
  argv?: string[];
  /** A script for /bin/sh -c; exactly one of argv and shell */
  shell?: string;
  /** Absolute working directory */
  cwd?: string;
  /** Environment variables, texts */
  env?: Record<string, unknown>;
  /** Given on stdin; else the payload is */
  stdin?: string;
  /** Of the process */
  limits?: HandlerLimits;
  /** Exit codes that are success; default 0 */
  success_codes?: number[];
  /** Only these are tried again; default: every failure */
  retryable_codes?: number[];
}

/** Limits of the operating system */
export interface HandlerLimits {
  /** CPU time, whole seconds, such as "10s" */
  cpu?: string;
  /** Address space: bytes, or a text such as "64MiB" */
  memory?: unknown;
  /** Open files */
  files?: number;
}

/** Attempts and the delays between them */
export interface Retry {
  /** 1 + retries, 1 to 1000; default 4 */
  max_attempts?: number;
  /** Instead of max_attempts, 0 to 999 */
  retries?: number;
  /** Attempts lost with their worker, 1 to 100; default 3 */
  max_losses?: number;
  /** Default exponential */
  backoff?: "fixed" | "linear" | "exponential";
  /** Delay before the second attempt; default 1s */
  base?: string;
  /** 1 to 10; default 2 */
  multiplier?: number;
  /** Longest delay; default 1h */
  cap?: string;
  /** 0 to 1; default 0.3 */
  jitter?: number;
}

/** Who may take the run */
export interface Owner {
  /** Default any */
  kind?: "any" | "agent_type" | "session" | "person";
  /** With kind agent_type */
  agent_type?: string;
  /** With kind session */
  session?: string;
}

/** One run */
export interface Submission {
  /** What a person calls it, at most 200 characters; default: the base name of the program */
  name?: string;
  /** How it is performed; absent: it is left to sessions that know what the payload means */
  handler?: Handler;
  /** Opaque JSON, at most 64 KiB; numbers stay exactly what they are */
  payload?: unknown;
  /** Default normal; critical and medium are known too */
  priority?: "urgent" | "high" | "normal" | "low";
  /** Only sessions of this workspace may take it */
  workspace?: string;
  /** Fairness key inside a priority; default: the workspace */
  lane?: string;
  /** Only sessions in this channel may take it */
  channel?: string;
  /** The session must have all of these */
  capabilities?: string[];
  /** Order those that may take it */
  preferred_capabilities?: string[];
  /** Only sessions of these types; empty: any */
  agent_types?: string[];
  /** Who may take it; default any */
  owner?: Owner;
  /** Of one attempt, such as "60s" or "PT1M"; default 30m; 0: none */
  timeout?: string;
  /** Between TERM and KILL; default 5s */
  grace?: string;
  /** Budgets and delays */
  retry?: Retry;
  /** Runs that share it run at most concurrency_limit at a time */
  concurrency_key?: string;
  /** 1 to 10,000; default 1 */
  concurrency_limit?: number;
  /** At most 32 words */
  tags?: string[];
  /** Free, at most 16 KiB */
  metadata?: Record<string, unknown>;
  /** A command that is run when the run has ended, as a run of its own */
  on_end?: Handler;
  /** W3C trace context; made when absent */
  traceparent?: string;
  /** Take it without looking whether its program and directory are there; who asked for that is kept */
  skip_checks?: boolean;
  /** Given by the caller: the same id and content is the same run */
  id?: string;
  /** Not before this time has passed */
  delay?: string;
  /** Not before this time; one of delay and not_before */
  not_before?: string;
}

/** Up to 1,000 runs */
export interface BatchSubmission {
  /** 1 to 1,000 */
  runs: Submission[];
}

/** Why */
export interface Reason {
  /** At most 500 characters */
  reason?: string;
}

/** Which late result */
export interface Adoption {
  /** Of the attempt that said it; default the newest */
  fencing?: number;
  /** At most 500 characters */
  reason?: string;
}

/** An empty object, or no body */
export interface Nothing {
}

/** The new priority */
export interface PriorityChange {
  /** critical and medium are known too */
  priority: "urgent" | "high" | "normal" | "low";
}

/** A successor */
export interface Redrive {
  /** Instead of the payload of the old run */
  payload?: unknown;
}

/** Which runs; the same words as in the query of GET /v1/runs */
export interface Filter {
  /** A word, several with commas, or a list */
  state?: unknown;
  /** Id or name */
  job?: string;
  /** Id */
  batch?: string;
  workspace?: string;
  lane?: string;
  priority?: string;
  /** Id of the holder */
  session?: string;
  /** A tag, or a list: all of them */
  tag?: unknown;
  /** A tag, or a list: any of them */
  tag_any?: unknown;
  /** In the name */
  q?: string;
  created_from?: string;
  created_to?: string;
  ended_from?: string;
  ended_to?: string;
  /** Only dead letters */
  dead?: boolean;
}

/** Many runs, by ids or by filter */
export interface BulkControl {
  /** At most 1,000 */
  ids?: string[];
  /** Instead of ids */
  filter?: Filter;
  /** Only tell which */
  dry_run?: boolean;
  /** Needed for an empty filter */
  confirm?: boolean;
  /** At most 500 characters */
  reason?: string;
}

/** Many runs, by ids or by filter */
export interface BulkRetry {
  /** At most 1,000 */
  ids?: string[];
  /** Instead of ids; without states it means dead letters */
  filter?: Filter;
  /** Only tell which */
  dry_run?: boolean;
  /** Needed for an empty filter */
  confirm?: boolean;
  /** Instead of the payloads of the old runs */
  payload?: unknown;
}

/** What a job's runs do */
export interface JobDefinition {
  /** What a person calls it, at most 200 characters; default: the base name of the program */
  name?: string;
  /** How it is performed; absent: it is left to sessions that know what the payload means */
  handler?: Handler;
  /** Opaque JSON, at most 64 KiB; numbers stay exactly what they are */
  payload?: unknown;
  /** Default normal; critical and medium are known too */
  priority?: "urgent" | "high" | "normal" | "low";
  /** Only sessions of this workspace may take it */
  workspace?: string;
  /** Fairness key inside a priority; default: the workspace */
  lane?: string;
  /** Only sessions in this channel may take it */
  channel?: string;
  /** The session must have all of these */
  capabilities?: string[];
  /** Order those that may take it */
  preferred_capabilities?: string[];
  /** Only sessions of these types; empty: any */
  agent_types?: string[];
  /** Who may take it; default any */
  owner?: Owner;
  /** Of one attempt, such as "60s" or "PT1M"; default 30m; 0: none */
  timeout?: string;
  /** Between TERM and KILL; default 5s */
  grace?: string;
  /** Budgets and delays */
  retry?: Retry;
  /** Runs that share it run at most concurrency_limit at a time */
  concurrency_key?: string;
  /** 1 to 10,000; default 1 */
  concurrency_limit?: number;
  /** At most 32 words */
  tags?: string[];
  /** Free, at most 16 KiB */
  metadata?: Record<string, unknown>;
  /** A command that is run when the run has ended, as a run of its own */
  on_end?: Handler;
  /** W3C trace context; made when absent */
  traceparent?: string;
  /** Take it without looking whether its program and directory are there; who asked for that is kept */
  skip_checks?: boolean;
  /** At most 2,000 bytes */
  description?: string;
  /** When a trigger meets an open run; default skip */
  overlap?: "skip" | "queue_one" | "queue_all" | "replace" | "allow";
  /** With overlap allow: open runs; default 1 */
  max_concurrent?: number;
  /** Where the definition comes from; default api */
  source?: "api" | "file";
  /** When it is created */
  start_paused?: boolean;
  /** When it is created: paused until one run of it, of half a minute at most, has succeeded */
  trial?: boolean;
}

/** Members that replace those of the definition */
export interface JobPatch {
  /** What a person calls it, at most 200 characters; default: the base name of the program */
  name?: string;
  /** How it is performed; absent: it is left to sessions that know what the payload means */
  handler?: Handler;
  /** Opaque JSON, at most 64 KiB; numbers stay exactly what they are */
  payload?: unknown;
  /** Default normal; critical and medium are known too */
  priority?: "urgent" | "high" | "normal" | "low";
  /** Only sessions of this workspace may take it */
  workspace?: string;
  /** Fairness key inside a priority; default: the workspace */
  lane?: string;
  /** Only sessions in this channel may take it */
  channel?: string;
  /** The session must have all of these */
  capabilities?: string[];
  /** Order those that may take it */
  preferred_capabilities?: string[];
  /** Only sessions of these types; empty: any */
  agent_types?: string[];
  /** Who may take it; default any */
  owner?: Owner;
  /** Of one attempt, such as "60s" or "PT1M"; default 30m; 0: none */
  timeout?: string;
  /** Between TERM and KILL; default 5s */
  grace?: string;
  /** Budgets and delays */
  retry?: Retry;
  /** Runs that share it run at most concurrency_limit at a time */
  concurrency_key?: string;
  /** 1 to 10,000; default 1 */
  concurrency_limit?: number;
  /** At most 32 words */
  tags?: string[];
  /** Free, at most 16 KiB */
  metadata?: Record<string, unknown>;
  /** A command that is run when the run has ended, as a run of its own */
  on_end?: Handler;
  /** W3C trace context; made when absent */
  traceparent?: string;
  /** Take it without looking whether its program and directory are there; who asked for that is kept */
  skip_checks?: boolean;
  /** At most 2,000 bytes */
  description?: string;
  /** When a trigger meets an open run; default skip */
  overlap?: "skip" | "queue_one" | "queue_all" | "replace" | "allow";
  /** With overlap allow: open runs; default 1 */
  max_concurrent?: number;
  /** Where the definition comes from; default api */
  source?: "api" | "file";
  /** When it is created */
  start_paused?: boolean;
  /** When it is created: paused until one run of it, of half a minute at most, has succeeded */
  trial?: boolean;
}

/** A reason to hold a job, or to let it go on */
export interface Pause {
  /** Default manual; a resume lifts only the pause with the same reason */
  reason?: string;
  /** In plain words */
  text?: string;
}

/** A run by hand */
export interface Trigger {
  /** Instead of the definition's */
  payload?: unknown;
  /** Although paused, or another run is open */
  force?: boolean;
  /** Not before this time has passed */
  delay?: string;
  /** Several runs, 1 to 1,000 */
  count?: number;
}

/** The name of the copy */
export interface NewName {
  /** That no other job has */
  name: string;
}

/** Live leases at a time; 0: no limit; what is left out stays */
export interface Limits {
  /** In the whole node */
  global?: number;
  /** Per named lane */
  per_lane?: number;
  /** Per batch */
  per_batch?: number;
  /** Per agent type */
  per_agent_type?: number;
}

/** Where the copy goes */
export interface BackupRequest {
  /** An absolute path of a new file on the machine of the node */
  to: string;
}

/** What differs from the policy of the configuration */
export interface RetentionRequest {
  /** How long finished runs are kept, such as "7d"; 0 for ever */
  keep?: string;
  /** The same of dead letters */
  keep_dead?: string;
  /** Finished runs kept per job, the newest */
  keep_per_job?: number;
  /** Tell what would go, remove nothing */
  dry_run?: boolean;
}

/** A worker */
export interface SessionRegistration {
  /** Of a session that comes back */
  id?: string;
  /** Such as worker-1 */
  name: string;
  agent_type?: string;
  /** Takes only runs of this workspace */
  workspace?: string;
  channel?: string;
  capabilities?: string[];
  /** Runs at a time, 1 to 1,000; default 1 */
  slots?: number;
  /** Waits for a prompt, and takes nothing meanwhile */
  prompting?: boolean;
  /** Any JSON object, at most 16 KiB */
  metadata?: Record<string, unknown>;
}

/** It lives, and what it says of itself */
export interface SessionHeartbeat {
  /** paused: takes no new runs until it says active */
  state?: "active" | "paused";
  /** Waits for a prompt, and takes nothing meanwhile */
  prompting?: boolean;
}

/** What a session wants */
export interface Claim {
  /** Its id */
  session: string;
  /** 1 to 1,000; default 1 */
  max?: number;
  /** At most 60s; default 0s */
  wait?: string;
  /** 1s to 24h; default 5m */
  lease?: string;
  /** Only this priority or a more urgent one */
  at_least?: "urgent" | "high" | "normal" | "low";
  /** Begin at once, without a separate start */
  start?: boolean;
}

/** That the lease is yours */
export interface Proof {
  /** From the answer to the claim */
  token: string;
  /** From the answer to the claim */
  fencing: number;
}

/** The lease goes on */
export interface Heartbeat {
  /** From the answer to the claim */
  token: string;
  /** From the answer to the claim */
  fencing: number;
  /** From now; default 5m */
  lease?: string;
}

/** How far it is */
export interface Progress {
  /** From the answer to the claim */
  token: string;
  /** From the answer to the claim */
  fencing: number;
  /** 0 to 1 */
  value?: number;
  /** In plain words */
  text?: string;
}

/** What the next attempt is to know */
export interface Checkpoint {
  /** From the answer to the claim */
  token: string;
  /** From the answer to the claim */
  fencing: number;
  /** JSON, at most 64 KiB; replaces the last one */
  checkpoint: unknown;
}

/** Runs of a session whose tokens are made anew */
export interface Reissue {
  /** Their ids; absent: all that it holds */
  runs?: string[];
  /** From now, 1s to 24h; default 5m */
  lease?: string;
}

/** Lines behind those that the attempt has */
export interface LogLines {
  /** From the answer to the claim */
  token: string;
  /** From the answer to the claim */
  fencing: number;
  /** 1 to 1,000 */
  lines: LogText[];
  /** Number of the first line; those that are there are passed over */
  first?: number;
}

/** A line; a line end in it makes several, and so do more than 16 KiB */
export interface LogText {
  text: string;
  /** Default stdout */
  stream?: "stdout" | "stderr";
  /** How serious it is; default none */
  level?: "debug" | "info" | "warn" | "error";
  /** Default now */
  at?: string;
}

/** One lease */
export interface HeartbeatItem {
  /** From the answer to the claim */
  token: string;
  /** From the answer to the claim */
  fencing: number;
  run_id: string;
}

/** Leases that go on */
export interface Heartbeats {
  /** 1 to 1,000 */
  items: HeartbeatItem[];
  /** From now; default 5m */
  lease?: string;
}

/** It succeeded */
export interface Completion {
  /** From the answer to the claim */
  token: string;
  /** From the answer to the claim */
  fencing: number;
  /** In plain words */
  message?: string;
  /** JSON, at most 64 KiB */
  result?: unknown;
  /** 0 to 255 */
  exit_code?: number;
  /** 1 to 64 */
  signal?: number;
  /** What it took */
  usage?: Usage;
}

/** It failed */
export interface Failure {
  /** From the answer to the claim */
  token: string;
  /** From the answer to the claim */
  fencing: number;
  /** In plain words */
  message?: string;
  /** JSON, at most 64 KiB */
  result?: unknown;
  /** 0 to 255 */
  exit_code?: number;
  /** 1 to 64 */
  signal?: number;
  /** What it took */
  usage?: Usage;
  /** Default error; permanent and spawn are not tried again */
  class?: "error" | "permanent" | "timeout" | "resource" | "rate_limited" | "spawn";
  /** No earlier than in this time */
  retry_after?: string;
}

/** Somebody else may do it */
export interface Release {
  /** From the answer to the claim */
  token: string;
  /** From the answer to the claim */
  fencing: number;
  message?: string;
  /** Not before this time has passed */
  delay?: string;
}

/** It has to wait for something */
export interface Park {
  /** From the answer to the claim */
  token: string;
  /** From the answer to the claim */
  fencing: number;
  message?: string;
  /** How long; or until */
  for?: string;
  /** Until when; or for */
  until?: string;
  /** What is not there, such as gpu-quota */
  resource?: string;
}

/** Resources of the attempt */
export interface Usage {
  /** Such as "1.5s" */
  user_cpu?: string;
  system_cpu?: string;
  /** Bytes, or "64MiB" */
  peak_memory?: unknown;
}

/** The end of one attempt */
export interface CompletionItem {
  run_id: string;
  /** Decides which other members are allowed */
  outcome: "succeeded" | "failed" | "cancelled" | "released" | "parked";
  /** From the answer to the claim */
  token: string;
  /** From the answer to the claim */
  fencing: number;
  /** In plain words */
  message?: string;
  /** JSON, at most 64 KiB */
  result?: unknown;
  /** 0 to 255 */
  exit_code?: number;
  /** 1 to 64 */
  signal?: number;
  /** What it took */
  usage?: Usage;
  /** Default error; permanent and spawn are not tried again */
  class?: "error" | "permanent" | "timeout" | "resource" | "rate_limited" | "spawn";
  /** No earlier than in this time */
  retry_after?: string;
  /** With released */
  delay?: string;
  /** With parked, required */
  for?: string;
}

/** The ends of up to 1,000 attempts */
export interface Completions {
  /** 1 to 1,000 */
  items: CompletionItem[];
}

/** A run, in short */
export interface SubmittedRun {
  id?: string;
  name?: string;
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  priority?: "urgent" | "high" | "normal" | "low";
  job_id?: string | null;
  batch_id?: string | null;
  /** The run that it redrives */
  predecessor_id?: string | null;
  created_at?: string;
  /** Not before */
  due_at?: string | null;
  /** Why it was skipped */
  reason?: string | null;
  /** false: an earlier request with the same key or id made it */
  created?: boolean;
}

/** A run that was submitted, in short */
export interface Submitted {
  id?: string;
  name?: string;
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  priority?: "urgent" | "high" | "normal" | "low";
  job_id?: string | null;
  batch_id?: string | null;
  /** The run that it redrives */
  predecessor_id?: string | null;
  created_at?: string;
  /** Not before */
  due_at?: string | null;
  /** Why it was skipped */
  reason?: string | null;
  /** false: an earlier request with the same key or id made it */
  created?: boolean;
  /** What may keep it waiting */
  warnings?: SubmitWarning[];
}

/** A batch, in short */
export interface SubmittedBatch {
  batch_id?: string;
  count?: number;
  /** false: an earlier request with the same key made it */
  created?: boolean;
  /** In the order of the request */
  ids?: string[];
  /** What may keep its runs waiting */
  warnings?: SubmitWarning[];
}

/** What may keep a run waiting that was taken all the same */
export interface SubmitWarning {
  /** no_capable_session: nobody who is here could take it, busy or not */
  code?: string;
  text?: string;
  /** That the run asks for */
  capabilities?: string[];
}

/** What would be */
export interface DryRun {
  dry_run?: boolean;
  valid?: boolean;
  runs?: PlannedRun[];
}

/** A run that is not made */
export interface PlannedRun {
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  due_at?: string | null;
  /** As it would be stored, in the shape of a submission */
  run?: Record<string, unknown>;
  warnings?: string[];
}

/** The state of a run */
export interface RunHead {
  id?: string;
  name?: string;
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  priority?: "urgent" | "high" | "normal" | "low";
  attempt?: number;
  /** Its holder has been asked to stop */
  cancel_requested?: boolean;
  due_at?: string | null;
  ended_at?: string | null;
  discarded?: boolean;
  reason?: string | null;
}

/** A run in a list */
export interface RunRow {
  id?: string;
  name?: string;
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  priority?: "urgent" | "high" | "normal" | "low";
  workspace?: string;
  lane?: string;
  job_id?: string | null;
  /** The revision that it was made from */
  job_revision?: number | null;
  batch_id?: string | null;
  /** The run whose on_end this is */
  parent_id?: string | null;
  /** The run that it redrives */
  predecessor_id?: string | null;
  /** The run that redrives it */
  successor_id?: string | null;
  /** Triggered by hand */
  manual?: boolean;
  /** Attempts begun */
  attempt?: number;
  /** Those that count against max_attempts */
  attempts_used?: number;
  /** Those that were lost with their worker */
  losses?: number;
  /** Grows with every claim */
  fencing?: number;
  created_at?: string;
  /** Who submitted it */
  created_by?: string;
  /** Waits in line since */
  eligible_since?: string | null;
  /** Not before */
  due_at?: string | null;
  ended_at?: string | null;
  /** While somebody has it */
  lease?: Lease | null;
  /** 0: none */
  timeout_ms?: number;
  cancel_requested?: boolean;
  /** Of the last attempt */
  failure_class?: "error" | "permanent" | "timeout" | "lost" | "resource" | "rate_limited" | "cancelled" | "spawn" | null;
  /** Why it stands where it stands */
  reason?: string | null;
  /** Ended badly, neither redriven nor discarded */
  dead_letter?: boolean;
  discarded?: boolean;
  /** 0 to 1 */
  progress?: number;
  progress_text?: string | null;
  concurrency_key?: string | null;
  tags?: string[];
}

/** A run with its attempts */
export interface Run {
  id?: string;
  name?: string;
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  priority?: "urgent" | "high" | "normal" | "low";
  workspace?: string;
  lane?: string;
  job_id?: string | null;
  /** The revision that it was made from */
  job_revision?: number | null;
  batch_id?: string | null;
  /** The run whose on_end this is */
  parent_id?: string | null;
  /** The run that it redrives */
  predecessor_id?: string | null;
  /** The run that redrives it */
  successor_id?: string | null;
  /** Triggered by hand */
  manual?: boolean;
  /** Attempts begun */
  attempt?: number;
  /** Those that count against max_attempts */
  attempts_used?: number;
  /** Those that were lost with their worker */
  losses?: number;
  /** Grows with every claim */
  fencing?: number;
  created_at?: string;
  /** Who submitted it */
  created_by?: string;
  /** Waits in line since */
  eligible_since?: string | null;
  /** Not before */
  due_at?: string | null;
  ended_at?: string | null;
  /** While somebody has it */
  lease?: Lease | null;
  /** 0: none */
  timeout_ms?: number;
  cancel_requested?: boolean;
  /** Of the last attempt */
  failure_class?: "error" | "permanent" | "timeout" | "lost" | "resource" | "rate_limited" | "cancelled" | "spawn" | null;
  /** Why it stands where it stands */
  reason?: string | null;
  /** Ended badly, neither redriven nor discarded */
  dead_letter?: boolean;
  discarded?: boolean;
  /** 0 to 1 */
  progress?: number;
  progress_text?: string | null;
  concurrency_key?: string | null;
  tags?: string[];
  handler?: RunHandler;
  payload?: unknown;
  metadata?: unknown;
  channel?: string;
  capabilities?: string[];
  preferred_capabilities?: string[];
  agent_types?: string[];
  owner?: Owner;
  grace_ms?: number;
  retry?: RunRetry;
  traceparent?: string | null;
  /** Who had it taken without a look at program and directory */
  checks_skipped_by?: string | null;
  on_end?: RunHandler;
  /** From eligible to claimed, of the last attempt */
  queue_ms?: number | null;
  /** From started to ended, of the last attempt */
  execution_ms?: number | null;
  /** From created to ended */
  total_ms?: number | null;
  /** Of the attempt that succeeded */
  result?: unknown;
  /** Oldest first; the one under way has no outcome yet */
  attempts?: Attempt[];
  /** What came with an old lease */
  late_writes?: LateWrite[];
  /** Successes that came too late and can be adopted */
  late_results?: LateResult[];
  /** The last one that a worker stored */
  checkpoint?: StoredCheckpoint | null;
  /** Why it is not finished, as the claim itself judges */
  waiting_for?: WaitReason[];
  /** In its lane and priority, from 1 */
  position?: number | null;
  /** Until it starts, as its lane has moved lately; null: unknown */
  eta_ms?: number | null;
  /** What that rests on, or why it is unknown */
  eta_basis?: string | null;
  /** Of a queued run: what each session has against it; at most 50 */
  sessions?: SessionVerdict[];
}

/** A page of runs */
export interface RunPage {
  runs?: RunRow[];
  /** null: there is no more */
  next_cursor?: string | null;
}

/** Who has the run, until when */
export interface Lease {
  session_id?: string;
  claimed_at?: string;
  started_at?: string | null;
  expires_at?: string;
  /** Of the attempt */
  deadline?: string | null;
}

/** How it is performed; values of environment variables are not shown */
export interface RunHandler {
  kind?: "process" | "none";
  argv?: string[];
  shell?: string;
  cwd?: string;
  env_names?: string[];
  stdin?: string;
  limits?: RunHandlerLimits;
  success_codes?: number[];
  retryable_codes?: number[];
}

/** Limits of the operating system */
export interface RunHandlerLimits {
  cpu_ms?: number;
  memory_bytes?: number;
  files?: number;
}

/** Attempts and the delays between them */
export interface RunRetry {
  max_attempts?: number;
  max_losses?: number;
  backoff?: "fixed" | "linear" | "exponential";
  base_ms?: number;
  multiplier?: number;
  cap_ms?: number;
  jitter?: number;
}

/** One try of a run */
export interface Attempt {
  number?: number;
  /** succeeded, failed, timed_out, lost, cancelled; queued: released; parked */
  outcome?: string | null;
  fencing?: number;
  session_id?: string | null;
  session_name?: string | null;
  claimed_at?: string;
  started_at?: string | null;
  ended_at?: string | null;
  execution_ms?: number | null;
  failure_class?: "error" | "permanent" | "timeout" | "lost" | "resource" | "rate_limited" | "cancelled" | "spawn" | null;
  message?: string | null;
  exit_code?: number | null;
  signal?: number | null;
  /** TERM or KILL when the node ended it */
  stopped_with?: string | null;
  user_cpu_ms?: number;
  system_cpu_ms?: number;
  /** At least; null: not known */
  peak_memory_bytes?: number | null;
  result?: unknown;
  /** Everything that was written */
  output_bytes?: number;
  /** More than was kept */
  output_truncated?: boolean;
}

/** A write with an old lease; it changed nothing */
export interface LateWrite {
  kind?: string;
  fencing?: number;
  at?: string;
  text?: string;
}

/** A success that was refused because its lease was over */
export interface LateResult {
  attempt?: number;
  fencing?: number;
  at?: string;
  message?: string | null;
  result?: unknown;
}

/** What a worker stored for whoever has the run next */
export interface StoredCheckpoint {
  /** That stored it */
  attempt?: number;
  at?: string;
  value?: unknown;
}

/** An attempt that ended */
export interface PastAttempt {
  attempt?: number;
  fencing?: number;
  outcome?: string;
  class?: string;
  message?: string | null;
  started_at?: string | null;
  ended_at?: string;
}

/** Whether a session may take the run */
export interface SessionVerdict {
  id?: string;
  name?: string;
  eligible?: boolean;
  /** All rules that say no */
  reasons?: WaitReason[];
}

/** Why a run waits */
export interface WaitReason {
  code?: string;
  text?: string;
}

/** A line of output */
export interface LogLine {
  attempt?: number;
  /** From 1, per attempt */
  number?: number;
  at?: string;
  stream?: "stdout" | "stderr" | "node";
  /** debug, info, warn or error; null: the line says nothing of that */
  level?: string | null;
  text?: string;
}

/** A page of lines */
export interface LogPage {
  run_id?: string;
  lines?: LogLine[];
  /** More may come */
  attempt_live?: boolean;
  last_attempt?: number;
  /** No longer kept, before the first line here */
  dropped_lines?: number;
  /** For ?after=, when the page was full */
  next_after?: string | null;
}

/** A fact of the journal */
export interface Event {
  /** Without gaps */
  seq?: number;
  at?: string;
  kind?: string;
  run_id?: string | null;
  job_id?: string | null;
  fencing?: number;
  attempt?: number;
  actor?: string;
  text?: string;
}

/** A page of events */
export interface EventPage {
  events?: Event[];
  /** For ?after= */
  next_after?: number;
  /** Older ones were pruned */
  oldest_kept?: number;
}

/** A result for each run */
export interface BulkAnswer {
  dry_run?: boolean;
  matched?: number;
  /** The filter fits more than 1,000: call again */
  more?: boolean;
  succeeded?: number;
  failed?: number;
  items?: BulkItem[];
}

/** The result for one run */
export interface BulkItem {
  code?: string;
  title?: string;
  detail?: string;
  retryable?: boolean;
  errors?: FieldProblem[];
  command?: string;
  id?: string;
  status?: "ok" | "error" | "planned";
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  cancel_requested?: boolean;
  successor_id?: string;
}

/** What is wrong, where status is error */
export interface ItemError {
  code?: string;
  title?: string;
  detail?: string;
  retryable?: boolean;
  errors?: FieldProblem[];
  command?: string;
}

/** How far a batch is */
export interface Batch {
  id?: string;
  created_at?: string;
  total?: number;
  ended?: number;
  complete?: boolean;
  by_state?: Record<string, number>;
  /** Until all have ended, at the pace so far; null: unknown */
  eta_ms?: number | null;
  /** What that rests on, or why it is unknown */
  eta_basis?: string | null;
}

/** A result for each run that had not ended */
export interface BatchCancelled {
  batch_id?: string;
  matched?: number;
  items?: BulkItem[];
}

/** RFC 9457; `type` is a page of this node */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** The request id */
  instance: string;
  /** Stable */
  code: string;
  /** The same request may succeed later */
  retryable: boolean;
  /** Every field at fault */
  errors?: FieldProblem[];
  /** That helps */
  command?: string;
}

/** One field at fault */
export interface FieldProblem {
  /** JSON pointer; ?name for the query, header:Name for a header */
  pointer?: string;
  /** What was given, shortened */
  value?: string;
  /** What would do */
  allowed?: string;
  detail?: string;
}

/** Why a job is held */
export interface PauseReason {
  reason?: string;
  /** Who set it */
  owner?: string;
  text?: string;
  since?: string | null;
}

/** A job in a list */
export interface JobRow {
  id?: string;
  name?: string;
  description?: string;
  revision?: number;
  state?: "active" | "paused" | "completed" | "archived";
  pauses?: PauseReason[];
  /** Runs made */
  triggered?: number;
  source?: string;
  created_at?: string;
  updated_at?: string;
  created_by?: string;
  /** Who had it taken without a look at program and directory */
  checks_skipped_by?: string | null;
}

/** A job */
export interface Job {
  id?: string;
  name?: string;
  description?: string;
  revision?: number;
  state?: "active" | "paused" | "completed" | "archived";
  pauses?: PauseReason[];
  /** Runs made */
  triggered?: number;
  source?: string;
  created_at?: string;
  updated_at?: string;
  created_by?: string;
  /** Who had it taken without a look at program and directory */
  checks_skipped_by?: string | null;
  /** In the shape in which it is submitted */
  definition?: JobDefinition;
}

/** A new job */
export interface JobMade {
  id?: string;
  name?: string;
  description?: string;
  revision?: number;
  state?: "active" | "paused" | "completed" | "archived";
  pauses?: PauseReason[];
  /** Runs made */
  triggered?: number;
  source?: string;
  created_at?: string;
  updated_at?: string;
  created_by?: string;
  /** Who had it taken without a look at program and directory */
  checks_skipped_by?: string | null;
  /** In the shape in which it is submitted */
  definition?: JobDefinition;
  /** With trial: the run whose success makes it active */
  trial_run_id?: string | null;
}

/** A job and what became of it; with dry_run only what would */
export interface JobResult {
  id?: string;
  name?: string;
  description?: string;
  revision?: number;
  state?: "active" | "paused" | "completed" | "archived";
  pauses?: PauseReason[];
  /** Runs made */
  triggered?: number;
  source?: string;
  created_at?: string;
  updated_at?: string;
  created_by?: string;
  /** Who had it taken without a look at program and directory */
  checks_skipped_by?: string | null;
  /** In the shape in which it is submitted */
  definition?: JobDefinition;
  result?: "created" | "replaced" | "unchanged";
  dry_run?: boolean;
  /** The run whose success makes the new job active */
  trial_run_id?: string | null;
}

/** What would be */
export interface PlannedJob {
  dry_run?: boolean;
  result?: "created" | "replaced" | "unchanged";
  name?: string;
  definition?: JobDefinition;
}

/** A page of jobs */
export interface JobPage {
  jobs?: JobRow[];
  next_cursor?: string | null;
}

/** The run; with count a list of them */
export interface Triggered {
  id?: string;
  name?: string;
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  priority?: "urgent" | "high" | "normal" | "low";
  job_id?: string | null;
  batch_id?: string | null;
  /** The run that it redrives */
  predecessor_id?: string | null;
  created_at?: string;
  /** Not before */
  due_at?: string | null;
  /** Why it was skipped */
  reason?: string | null;
  /** false: an earlier request with the same key or id made it */
  created?: boolean;
  items?: TriggeredItem[];
  succeeded?: number;
  failed?: number;
}

/** A run, or what is wrong */
export interface TriggeredItem {
  id?: string;
  name?: string;
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  priority?: "urgent" | "high" | "normal" | "low";
  job_id?: string | null;
  batch_id?: string | null;
  /** The run that it redrives */
  predecessor_id?: string | null;
  created_at?: string;
  /** Not before */
  due_at?: string | null;
  /** Why it was skipped */
  reason?: string | null;
  /** false: an earlier request with the same key or id made it */
  created?: boolean;
  status?: "error";
  code?: string;
  title?: string;
  detail?: string;
  retryable?: boolean;
  errors?: FieldProblem[];
  command?: string;
}

/** A result for each line */
export interface ImportAnswer {
  dry_run?: boolean;
  items?: ImportItem[];
  created?: number;
  replaced?: number;
  unchanged?: number;
  skipped?: number;
  failed?: number;
}

/** The result of one line */
export interface ImportItem {
  code?: string;
  title?: string;
  detail?: string;
  retryable?: boolean;
  errors?: FieldProblem[];
  command?: string;
  line?: number;
  name?: string;
  result?: "created" | "replaced" | "unchanged" | "skipped" | "error";
  job_id?: string | null;
  status?: "error";
}

/** A worker */
export interface Session {
  id?: string;
  name?: string;
  agent_type?: string;
  workspace?: string;
  channel?: string | null;
  capabilities?: string[];
  /** Kinds that it performs; an outside session: none */
  handlers?: string[];
  slots?: number;
  state?: "active" | "draining" | "paused" | "stale" | "gone";
  prompting?: boolean;
  /** Live leases */
  slots_used?: number;
  health?: "live" | "suspect" | "stalled" | "missing" | "orphaned" | "gone";
  /** Lives and dies with the node */
  local?: boolean;
  /** What it said of itself */
  metadata?: unknown;
  created_at?: string;
  last_seen_at?: string | null;
  /** Unless it is heard of before */
  stale_at?: string | null;
  /** Often enough for a session that says nothing else */
  heartbeat_every_ms?: number;
  /** What it holds, without tokens */
  leases?: HeldLease[];
}

/** A worker, and what it is asked to do */
export interface SessionStatus {
  id?: string;
  name?: string;
  agent_type?: string;
  workspace?: string;
  channel?: string | null;
  capabilities?: string[];
  /** Kinds that it performs; an outside session: none */
  handlers?: string[];
  slots?: number;
  state?: "active" | "draining" | "paused" | "stale" | "gone";
  prompting?: boolean;
  /** Live leases */
  slots_used?: number;
  health?: "live" | "suspect" | "stalled" | "missing" | "orphaned" | "gone";
  /** Lives and dies with the node */
  local?: boolean;
  /** What it said of itself */
  metadata?: unknown;
  created_at?: string;
  last_seen_at?: string | null;
  /** Unless it is heard of before */
  stale_at?: string | null;
  /** Often enough for a session that says nothing else */
  heartbeat_every_ms?: number;
  /** What it holds, without tokens */
  leases?: HeldLease[];
  /** drain, cancel, renew, report */
  commands?: string[];
}

/** A lease of a session */
export interface HeldLease {
  run_id?: string;
  name?: string;
  attempt?: number;
  fencing?: number;
  state?: "claimed" | "running";
  claimed_at?: string;
  started_at?: string | null;
  lease_expires_at?: string;
  /** Of the attempt */
  deadline?: string | null;
  cancel_requested?: boolean;
  /** Last heartbeat */
  renewed_at?: string | null;
  /** Last sign of work */
  progress_at?: string | null;
  /** 0 to 1, as the worker said last */
  progress?: number;
  /** The same in words */
  progress_text?: string | null;
  /** Time that is left, by its progress; null: unknown */
  ends_in_ms?: number | null;
  /** What that rests on, or why it is unknown */
  ends_basis?: string;
}

/** Why a session gets nothing, or may not take a run */
export interface SessionExplanation {
  session_id?: string;
  run_id?: string | null;
  eligible?: boolean;
  /** All rules that say no */
  reasons?: WaitReason[];
  slots?: number;
  slots_used?: number;
  /** Queued runs that it may take, limits apart */
  ready_for_it?: number;
}

/** All sessions */
export interface SessionList {
  sessions?: Session[];
}

/** What was claimed */
export interface Claims {
  claims?: ClaimedRun[];
  session_state?: string;
  /** drain: take nothing more */
  commands?: string[];
  /** Why the session takes nothing, when that is so */
  reasons?: WaitReason[];
}

/** A run and the right to it */
export interface ClaimedRun {
  run_id?: string;
  name?: string;
  job_id?: string | null;
  attempt?: number;
  fencing?: number;
  /** Shown here and nowhere else */
  token?: string;
  state?: "claimed" | "running";
  priority?: string;
  workspace?: string;
  lease_expires_at?: string;
  /** Of the attempt */
  deadline?: string | null;
  payload?: unknown;
  metadata?: unknown;
  timeout_ms?: number;
  /** Between asking the work to stop and ending it */
  grace_ms?: number;
  /** Exit codes that mean success; empty: 0 */
  success_codes?: number[];
  /** Exit codes that are tried again; empty: all others */
  retryable_codes?: number[];
  tags?: string[];
  traceparent?: string | null;
  /** The last one of an earlier attempt */
  checkpoint?: StoredCheckpoint | null;
  /** The last ten that ended, oldest first */
  previous?: PastAttempt[];
}

/** The lease */
export interface LeaseStatus {
  run_id?: string;
  lease_expires_at?: string;
  /** Of the attempt */
  deadline?: string | null;
  cancel_requested?: boolean;
  /** cancel: stop the work; drain: take nothing more; report: show progress */
  commands?: string[];
}

/** What became of the run */
export interface Settled {
  run_id?: string;
  state?: string;
  attempt?: number;
  /** When it is tried again */
  due_at?: string | null;
  /** The same was said before */
  replayed?: boolean;
}

/** The lease, and how long the log is */
export interface LogStatus {
  run_id?: string;
  lease_expires_at?: string;
  /** Of the attempt */
  deadline?: string | null;
  cancel_requested?: boolean;
  /** cancel: stop the work; drain: take nothing more; report: show progress */
  commands?: string[];
  /** The number of the next line */
  next?: number;
}

/** A result for each item */
export interface HeartbeatAnswers {
  items?: HeartbeatAnswer[];
  succeeded?: number;
  failed?: number;
}

/** The result of one item */
export interface HeartbeatAnswer {
  code?: string;
  title?: string;
  detail?: string;
  retryable?: boolean;
  errors?: FieldProblem[];
  command?: string;
  status?: "ok" | "error";
  run_id?: string;
  lease_expires_at?: string;
  deadline?: string | null;
  cancel_requested?: boolean;
  commands?: string[];
}

/** A result for each item */
export interface CompletionAnswers {
  items?: CompletionAnswer[];
  succeeded?: number;
  failed?: number;
}

/** The result of one item */
export interface CompletionAnswer {
  code?: string;
  title?: string;
  detail?: string;
  retryable?: boolean;
  errors?: FieldProblem[];
  command?: string;
  status?: "ok" | "error";
  run_id?: string;
  state?: string;
  attempt?: number;
  due_at?: string | null;
  replayed?: boolean;
}

/** Live leases at a time; 0: no limit */
export interface LimitState {
  global?: number;
  per_lane?: number;
  per_batch?: number;
  per_agent_type?: number;
}

/** The queue */
export interface QueueState {
  /** Rebuilt from the store and serving */
  ready?: boolean;
  /** ready, reserved, live */
  counts?: Record<string, number>;
  ready_by_priority?: Record<string, number>;
  /** Of the longest waiting run */
  oldest_eligible_since?: string | null;
  limits?: LimitState;
  live_by_lane?: NamedCount[];
  live_by_agent_type?: NamedCount[];
  waiting_claims?: number;
  timers?: number;
}

/** The queue was compared with the store */
export interface QueueRebuilt {
  /** Runs that have not ended */
  open?: number;
  queued?: number;
  /** Scheduled, retrying, parked, blocked or waiting for a person */
  delayed?: number;
  /** Claimed or running */
  leased?: number;
  /** Were open in the store and unknown in memory */
  missing?: number;
  /** Were in memory and not open in the store */
  stale?: number;
  /** Stood in another place in memory than in the store */
  misplaced?: number;
  /** The first hundred; all are put right */
  differences?: QueueDifference[];
  /** Sequence number of the event that tells of it */
  event?: number;
}

/** A run that memory had wrong */
export interface QueueDifference {
  run_id?: string;
  was?: "missing" | "stale" | "misplaced";
}

/** A count */
export interface NamedCount {
  name?: string;
  live?: number;
}

/** Figures */
export interface Statistics {
  runs?: RunStatistics;
  /** By event */
  totals?: Record<string, number>;
  /** Totals count from here */
  since?: string | null;
}

/** Of the runs that the filter fits */
export interface RunStatistics {
  by_state?: Record<string, number>;
  queued_by_priority?: Record<string, number>;
  /** Finished runs looked at */
  considered?: number;
  success_rate?: number | null;
  wait?: Distribution;
  execution?: Distribution;
  total?: Distribution;
}

/** null where there is nothing to tell */
export interface Distribution {
  average_ms?: number | null;
  least_ms?: number | null;
  most_ms?: number | null;
  p50_ms?: number | null;
  p95_ms?: number | null;
  p99_ms?: number | null;
}

/** Whether the node is well */
export interface Health {
  status?: "healthy" | "degraded" | "unhealthy";
  ready?: boolean;
  stopping?: boolean;
  /** Each begins with its code */
  issues?: string[];
}

/** What the node runs with; secrets are never among it, they are given by reference */
export interface Configuration {
  /** The file that was read */
  file?: string | null;
  settings?: Setting[];
}

/** A setting */
export interface Setting {
  /** Such as store.durability */
  key?: string;
  /** Number, truth, text or list of texts */
  value?: unknown;
  /** default, file PATH:LINE, environment NAME, flag NAME, or live */
  origin?: string;
}

/** Whether the node takes work */
export interface Ready {
  ready?: boolean;
}

/** The node */
export interface Node {
  version?: string;
  health?: "healthy" | "degraded" | "unhealthy";
  ready?: boolean;
  stopping?: boolean;
  issues?: string[];
  started_at?: string | null;
  uptime_ms?: number;
  now?: string;
  host?: string;
  user?: string;
  pid?: number;
  resident_bytes?: number;
  cpu_ms?: number;
  /** Running now */
  processes?: number;
  disk?: Disk;
  /** connections, streams, requests */
  http?: Record<string, number>;
  children?: Child[];
  store?: Store | null;
  dead_letters?: DeadLetters | null;
}

/** Where the store lies */
export interface Disk {
  path?: string;
  free_bytes?: number;
  alarm_bytes?: number;
  low?: boolean;
}

/** Runs that ended badly and were neither retried nor discarded */
export interface DeadLetters {
  count?: number;
  /** When the one ended that waits longest */
  oldest_ended_at?: string | null;
  /** 0 where there is none */
  oldest_age_ms?: number;
}

/** A part of the node */
export interface Child {
  name?: string;
  /** up, restarting or given_up */
  state?: string;
  restarts?: number;
  note?: string;
}

/** The store */
export interface Store {
  kind?: string;
  path?: string;
  durability?: string;
  schema?: number;
  bytes?: number;
  last_event?: number;
  jobs?: number;
  boots?: number;
  created_at?: string | null;
  runs_by_state?: Record<string, number>;
}

/** What a run gets when the submission says nothing */
export interface HandlerDefaults {
  /** Of one attempt */
  timeout_ms?: number;
  /** Between TERM and KILL */
  grace_ms?: number;
  max_attempts?: number;
  max_losses?: number;
}

/** A kind of work */
export interface HandlerFacts {
  kind?: string;
  description?: string;
  /** Who claims its runs */
  performed_by?: string;
  /** Meant by a command without a kind */
  default?: boolean;
  defaults?: HandlerDefaults;
}

/** Kinds of work */
export interface HandlerList {
  handlers?: HandlerFacts[];
}

/** A copy of the store */
export interface Backup {
  /** On the machine of the node */
  path?: string;
  bytes?: number;
  schema?: number;
  runs?: number;
  /** What was committed up to here is in it */
  last_event?: number;
}

/** What a check of the store found */
export interface StoreCheck {
  sound?: boolean;
  /** Empty when it is sound */
  problems?: string[];
  bytes?: number;
  schema?: number;
  runs?: number;
  last_event?: number;
}

/** What retention removed */
export interface RetentionAnswer {
  /** Nothing was removed */
  dry_run?: boolean;
  runs?: number;
  /** There may be more: ask again */
  more?: boolean;
  /** Of a dry run */
  ids?: string[];
}

/** An answer without a question to the node */
export interface Pong {
  pong?: boolean;
}
