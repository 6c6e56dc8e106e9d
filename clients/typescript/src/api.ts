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
  /** Default normal; critical (urgent) and medium (normal) are old names, taken still */
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
  /** Asked before each attempt; null: none */
  condition?: Condition | null;
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

/** Where */
export interface SpawnRequest {
  /** Of the worker's session; default that of the type */
  workspace?: string;
}

/** Why */
export interface Reason {
  /** At most 500 characters */
  reason?: string;
}

/** Why, and what was seen before */
export interface Force {
  /** At most 500 characters */
  reason: string;
  /** Only when the run is in this state; else 412 */
  if_state?: string;
  /** Only when nobody has claimed it since; else 412 */
  if_fencing?: number;
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
  /** critical (urgent) and medium (normal) are old names, taken still */
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
  /** Only tell what would be */
  dry_run?: boolean;
  /** Needed for an empty filter */
  confirm?: boolean;
  /** Only those that are in this state; 412 for others */
  if_state?: string;
  /** Only those with this fencing number */
  if_fencing?: number;
  /** At most 500 characters */
  reason?: string;
}

/** Many runs, by ids or by filter */
export interface BulkForce {
  /** At most 1,000 */
  ids?: string[];
  /** Instead of ids; without states it means those that it can be about */
  filter?: Filter;
  /** Only tell what would be */
  dry_run?: boolean;
  /** Needed for an empty filter */
  confirm?: boolean;
  /** Only those that are in this state; 412 for others */
  if_state?: string;
  /** Only those with this fencing number */
  if_fencing?: number;
  /** At most 500 characters */
  reason: string;
}

/** Many runs, by ids or by filter */
export interface BulkRetry {
  /** At most 1,000 */
  ids?: string[];
  /** Instead of ids; without states it means dead letters */
  filter?: Filter;
  /** Only tell what would be */
  dry_run?: boolean;
  /** Needed for an empty filter */
  confirm?: boolean;
  /** Only those that are in this state; 412 for others */
  if_state?: string;
  /** Only those with this fencing number */
  if_fencing?: number;
  /** Instead of the payloads of the old runs */
  payload?: unknown;
}

/** Many runs, by ids or by filter */
export interface BulkPriority {
  /** At most 1,000 */
  ids?: string[];
  /** Instead of ids; without states it means those that wait */
  filter?: Filter;
  /** Only tell what would be */
  dry_run?: boolean;
  /** Needed for an empty filter */
  confirm?: boolean;
  /** Only those that are in this state; 412 for others */
  if_state?: string;
  /** Only those with this fencing number */
  if_fencing?: number;
  /** The new one */
  priority: "urgent" | "high" | "normal" | "low";
}

/** Many runs, by ids or by filter */
export interface BulkPlain {
  /** At most 1,000 */
  ids?: string[];
  /** Instead of ids; without states it means those that wait for a time */
  filter?: Filter;
  /** Only tell what would be */
  dry_run?: boolean;
  /** Needed for an empty filter */
  confirm?: boolean;
  /** Only those that are in this state; 412 for others */
  if_state?: string;
  /** Only those with this fencing number */
  if_fencing?: number;
}

/** What a job's runs do */
export interface JobDefinition {
  /** What a person calls it, at most 200 characters; default: the base name of the program */
  name?: string;
  /** How it is performed; absent: it is left to sessions that know what the payload means */
  handler?: Handler;
  /** Opaque JSON, at most 64 KiB; numbers stay exactly what they are */
  payload?: unknown;
  /** Default normal; critical (urgent) and medium (normal) are old names, taken still */
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
  /** Asked before each attempt; null: none */
  condition?: Condition | null;
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
  /** When it is due: cron, an @ form, a phrase, or an event such as "when event deploy.finished arrives"; "": only by hand */
  schedule?: string;
  /** IANA name, where the schedule names none; default UTC */
  zone?: string;
  /** The first time that may be planned */
  starts?: string;
  /** The last one; the job is completed when its last run has ended */
  ends?: string;
  /** Each job starts at a point of its own within so long after the planned time */
  jitter?: string;
  /** Dates on which it is not due, besides what the schedule excludes */
  not_on?: string[];
  /** Times such as 22:00-06:00, over midnight too; 22:00-06:00 on sat,sun */
  not_between?: string[];
  /** Calendars, by name */
  not_in?: string[];
  /** What becomes of a time in not_on, not_between or not_in: it is left out (default), or due at the end of the excluded time */
  excluded?: "skip" | "postpone";
  /** Which of the missed times are made up for; default once, the latest */
  catch_up?: "skip" | "once" | "all";
  /** With all: the newest so many, 1 to 1,000; default 20 */
  catch_up_max?: number;
  /** What was missed longer ago is skipped; default 1d */
  catch_up_grace?: string;
  /** A time that could not be planned for so long is skipped; 0: none */
  start_deadline?: string;
  /** The latest due time is on time, not missed, when it is at most so late; default 1m */
  on_time?: string;
  /** At most so many in fire_window, later ones wait; 0: no limit */
  fire_limit?: number;
  /** Default 1h */
  fire_window?: string;
  /** Nothing more is planned after so many planned runs, and the job is completed when the last of them has ended; 0: no limit */
  max_runs?: number;
  /** What max_runs counts: planned times that became runs (default), or planned runs that succeeded */
  max_runs_of?: "runs" | "successes";
  /** A retry that would not start before the next occurrence is made all the same; default false */
  retry_past_next?: boolean;
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
  /** Default normal; critical (urgent) and medium (normal) are old names, taken still */
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
  /** Asked before each attempt; null: none */
  condition?: Condition | null;
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
  /** When it is due: cron, an @ form, a phrase, or an event such as "when event deploy.finished arrives"; "": only by hand */
  schedule?: string;
  /** IANA name, where the schedule names none; default UTC */
  zone?: string;
  /** The first time that may be planned */
  starts?: string;
  /** The last one; the job is completed when its last run has ended */
  ends?: string;
  /** Each job starts at a point of its own within so long after the planned time */
  jitter?: string;
  /** Dates on which it is not due, besides what the schedule excludes */
  not_on?: string[];
  /** Times such as 22:00-06:00, over midnight too; 22:00-06:00 on sat,sun */
  not_between?: string[];
  /** Calendars, by name */
  not_in?: string[];
  /** What becomes of a time in not_on, not_between or not_in: it is left out (default), or due at the end of the excluded time */
  excluded?: "skip" | "postpone";
  /** Which of the missed times are made up for; default once, the latest */
  catch_up?: "skip" | "once" | "all";
  /** With all: the newest so many, 1 to 1,000; default 20 */
  catch_up_max?: number;
  /** What was missed longer ago is skipped; default 1d */
  catch_up_grace?: string;
  /** A time that could not be planned for so long is skipped; 0: none */
  start_deadline?: string;
  /** The latest due time is on time, not missed, when it is at most so late; default 1m */
  on_time?: string;
  /** At most so many in fire_window, later ones wait; 0: no limit */
  fire_limit?: number;
  /** Default 1h */
  fire_window?: string;
  /** Nothing more is planned after so many planned runs, and the job is completed when the last of them has ended; 0: no limit */
  max_runs?: number;
  /** What max_runs counts: planned times that became runs (default), or planned runs that succeeded */
  max_runs_of?: "runs" | "successes";
  /** A retry that would not start before the next occurrence is made all the same; default false */
  retry_past_next?: boolean;
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

/** Which pause is lifted */
export interface ResumeRequest {
  /** This workspace; empty: what has none */
  workspace?: string;
  /** This job, by id or name */
  job?: string;
  /** Sessions of this type; nothing of the three: the whole scheduler */
  agent_type?: string;
  /** A word: manual (the default), maintenance, quota, ... */
  reason?: string;
  /** Who may lift it; default operator, for a session itself */
  owner?: string;
}

/** A provider has a limit until a time */
export interface Throttle {
  /** The provider: every agent type that names it among its resources */
  resource?: string;
  /** This type alone; or resource */
  agent_type?: string;
  /** Too fast, or used up; default throttle */
  kind?: "throttle" | "quota";
  /** For how long; or until */
  retry_after?: string;
  /** Until when; or retry_after */
  until?: string;
  /** What the provider said */
  reason?: string;
}

/** What is held, and why */
export interface PauseRequest {
  /** This workspace; empty: what has none */
  workspace?: string;
  /** This job, by id or name */
  job?: string;
  /** Sessions of this type; nothing of the three: the whole scheduler */
  agent_type?: string;
  /** A word: manual (the default), maintenance, quota, ... */
  reason?: string;
  /** Who may lift it; default operator, for a session itself */
  owner?: string;
  /** Why, in plain words */
  text?: string;
  /** It begins at this time, not now */
  from?: string;
  /** It lifts itself after this time */
  for?: string;
  /** It lifts itself at this time */
  until?: string;
}

/** What is held until nothing of it runs any more */
export interface DrainRequest {
  /** This workspace; empty: what has none */
  workspace?: string;
  /** This job, by id or name */
  job?: string;
  /** Sessions of this type; nothing of the three: the whole scheduler */
  agent_type?: string;
  /** Who may lift it; default operator, for a session itself */
  owner?: string;
  /** Why, in plain words */
  text?: string;
  /** How long that may take; default 60s, 0 reports at once */
  timeout?: string;
  /** It begins at this time, not now */
  from?: string;
  /** Work goes on by itself after this time */
  resume_after?: string;
  /** Work goes on by itself at this time */
  resume_at?: string;
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

/** A command that decides whether an attempt is made: exit code 0, it is; 1, the run is skipped; anything else, the attempt has failed */
export interface Condition {
  /** The program and its arguments */
  argv?: string[];
  /** Or a script for /bin/sh -c */
  shell?: string;
  /** 1s to 1h; default 30s */
  timeout?: string;
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
  /** Runs that schedules start in fire_window, later ones wait; to 1,000 */
  fires?: number;
  /** The same for each workspace */
  fires_per_workspace?: number;
  /** The rolling window of both, 1s to 7d */
  fire_window?: string;
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
  /** How it wants to be woken; default: by long poll */
  wake?: WakeSinkWanted;
}

/** How a session wants to be woken */
export interface WakeSinkWanted {
  /** Default poll */
  sink?: "poll" | "webhook" | "command" | "none";
  /** webhook: http or https, at most 2,000 characters */
  url?: string;
  /** webhook: whsec_ and 24 to 64 bytes in base64, or env:BELFRY_WEBHOOK_… for a variable of the node; never shown again */
  secret?: string;
  /** command: the program and its arguments; only where the node allows commands */
  argv?: string[];
  /** command: an absolute path; default: the node's */
  cwd?: string;
  /** Of one webhook or command, 100ms to 60s; default 5s */
  timeout?: string;
}

/** Wakes */
export interface WakeIds {
  /** 1 to 1,000 ids */
  wakes: string[];
}

/** For which run */
export interface WakeOrder {
  /** Id, prefix or name of a run */
  run_id: string;
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
  /** With rate_limited: the whole agent type is held for retry_after (default 1m), then one probe goes first */
  limit?: "throttle" | "quota";
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
  /** The whole agent type is held until then, and one probe goes first */
  limit?: "throttle" | "quota";
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
  outcome: "succeeded" | "failed" | "cancelled" | "released" | "parked" | "skipped";
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
  /** With rate_limited: the whole agent type is held for retry_after (default 1m), then one probe goes first */
  limit?: "throttle" | "quota";
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
  /** no_capable_session: nobody who is here could take it, busy or not; backpressure: so much is queued */
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
  /** Asked before each attempt; absent: none */
  condition?: Condition;
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
  /** Of a queued run that nobody takes: how far the ladder has been climbed */
  ladder?: RungState | null;
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
  /** TERM or KILL when the node ended the process; operator: somebody took the run away */
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

/** A reason, what would lift it, and the command that does */
export interface LiftedReason {
  code?: string;
  text?: string;
  lift?: string | null;
  command?: string | null;
}

/** What a session has against the run */
export interface ExplainedVerdict {
  id?: string;
  name?: string;
  /** A claim by it would get this run now */
  eligible?: boolean;
  /** Rules that say no; when none does: limits and turn */
  reasons?: LiftedReason[];
}

/** Why a run is where it is */
export interface RunExplanation {
  run_id?: string;
  name?: string;
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  /** It has not ended */
  open?: boolean;
  priority?: "urgent" | "high" | "normal" | "low";
  lane?: string;
  workspace?: string;
  /** Attempts begun */
  attempt?: number;
  attempts_used?: number;
  losses?: number;
  fencing?: number;
  max_attempts?: number;
  max_losses?: number;
  /** Why it stands where it stands, in the words of whoever put it there */
  said?: string | null;
  /** When it has ended: the command that goes on from there */
  then?: string | null;
  /** Its job meant it for this time, and an exclusion postponed it */
  deferred_from?: string | null;
  /** That exclusion, such as calendar holidays */
  deferred_by?: string | null;
  /** In line since */
  waiting_since?: string | null;
  waited_ms?: number | null;
  /** Who has it */
  session_id?: string | null;
  /** Every reason why it is not done */
  reasons?: LiftedReason[];
  /** In its lane and priority, from 1 */
  position?: number | null;
  /** Until it starts, as its lane has moved lately; null: unknown */
  eta_ms?: number | null;
  /** What that rests on, or why it is unknown */
  eta_basis?: string | null;
  /** The next timer */
  next_at?: string | null;
  /** What it does */
  next?: string | null;
  /** Of a queued run that nobody takes: how far the ladder has been climbed */
  ladder?: RungState | null;
  /** Wakes for it since wakes_known_since */
  wakes_in_all?: number;
  /** When the node began; of wakes before nothing is remembered */
  wakes_known_since?: string | null;
  /** The last of them, newest first, at most 10 */
  wakes?: WakeRecord[];
  /** Rule by rule; those with the least against it, at most 50 */
  sessions?: ExplainedVerdict[];
}

/** What a trigger would do now */
export interface TriggerOutlook {
  /** made, replaces, job_paused, job_completed, job_archived, definition_unreadable or overlap_skip */
  code?: string;
  text?: string;
  /** That helps, or that does it */
  command?: string | null;
}

/** A run of a job that has not ended */
export interface OpenRunOfJob {
  run_id?: string;
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  /** Somebody triggered it by hand */
  manual?: boolean;
  /** What holds it */
  reasons?: LiftedReason[];
  /** The next timer */
  next_at?: string | null;
  /** What it does */
  next?: string | null;
}

/** The run of a job that was made last of those that have ended */
export interface LastRunOfJob {
  run_id?: string;
  state?: "blocked" | "scheduled" | "queued" | "claimed" | "running" | "retrying" | "parked" | "needs_attention" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped";
  ended_at?: string | null;
  said?: string | null;
  /** The command that goes on from there */
  then?: string | null;
}

/** How a job stands */
export interface JobExplanation {
  job_id?: string;
  name?: string;
  state?: string;
  runs_made?: number;
  /** When it is due next */
  next_at?: string | null;
  /** Nothing more is planned: what it waits for until it is completed */
  ending?: string | null;
  /** Times before that which are excluded or postponed, in ranges */
  left_out?: LeftOut[];
  trigger?: TriggerOutlook;
  /** From the oldest, at most 100 */
  open?: OpenRunOfJob[];
  /** There are open runs that are not listed */
  more?: boolean;
  last?: LastRunOfJob | null;
}

/** A wake for a run, and what became of it */
export interface WakeRecord {
  /** null: it was never sent */
  id?: string | null;
  /** Who was woken */
  session_id?: string;
  outcome?: "waiting" | "acknowledged" | "claimed" | "failed" | "refused";
  /** The run had waited for long, and others were woken for it too */
  starved?: boolean;
  /** An operator tried the sink */
  by_hand?: boolean;
  sent_at?: string;
  /** When it was heard, or known not to be */
  ended_at?: string | null;
  /** From then to then */
  took_ms?: number | null;
  /** Why it failed */
  text?: string | null;
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
  /** Of an event_received: what was emitted */
  name?: string;
  /** Of an event_received: its texts by name */
  fields?: Record<string, unknown>;
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
  /** When it is allowed again */
  retry_after_ms?: number;
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
  /** When it is allowed again */
  retry_after_ms?: number;
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
  /** Who may lift it: operator, node, or a session */
  owner?: string;
  text?: string;
  since?: string | null;
  /** Who set it */
  by?: string;
  /** It lifts itself then */
  until?: string | null;
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
  /** When it is due, in canonical form; null: only by hand */
  schedule?: string | null;
  /** The next planned time; null when there is none, or it is paused */
  next_at?: string | null;
  /** Planned times that became runs */
  fired?: number;
  /** Planned runs that succeeded, where max_runs counts them */
  succeeded?: number | null;
  /** Nothing more is planned: it is completed when its open runs have ended */
  ending?: boolean;
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
  /** When it is due, in canonical form; null: only by hand */
  schedule?: string | null;
  /** The next planned time; null when there is none, or it is paused */
  next_at?: string | null;
  /** Planned times that became runs */
  fired?: number;
  /** Planned runs that succeeded, where max_runs counts them */
  succeeded?: number | null;
  /** Nothing more is planned: it is completed when its open runs have ended */
  ending?: boolean;
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
  /** When it is due, in canonical form; null: only by hand */
  schedule?: string | null;
  /** The next planned time; null when there is none, or it is paused */
  next_at?: string | null;
  /** Planned times that became runs */
  fired?: number;
  /** Planned runs that succeeded, where max_runs counts them */
  succeeded?: number | null;
  /** Nothing more is planned: it is completed when its open runs have ended */
  ending?: boolean;
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
  /** When it is due, in canonical form; null: only by hand */
  schedule?: string | null;
  /** The next planned time; null when there is none, or it is paused */
  next_at?: string | null;
  /** Planned times that became runs */
  fired?: number;
  /** Planned runs that succeeded, where max_runs counts them */
  succeeded?: number | null;
  /** Nothing more is planned: it is completed when its open runs have ended */
  ending?: boolean;
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
  /** Changed here after their line was written */
  kept?: number;
  /** Archived ones of the first format */
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
  /** When it is allowed again */
  retry_after_ms?: number;
  line?: number;
  name?: string;
  result?: "created" | "replaced" | "unchanged" | "kept" | "skipped" | "error";
  job_id?: string | null;
  /** Why it was kept, or that its id is new */
  note?: string;
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
  /** How it is woken */
  wake?: WakeSink;
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
  /** How it is woken */
  wake?: WakeSink;
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
  /** All rules that say no; of a run in line, its limits and turn too */
  reasons?: LiftedReason[];
  slots?: number;
  slots_used?: number;
  /** Queued runs that it may take, limits apart */
  ready_for_it?: number;
  /** What the claim hook refused it within the last minute, newest first */
  hook_refusals?: HookRefusal[];
}

/** The claim hook refused a run to a session */
export interface HookRefusal {
  run_id?: string;
  reason?: string | null;
  at?: string;
}

/** How a session is woken, without secrets */
export interface WakeSink {
  sink?: "poll" | "webhook" | "command" | "none";
  /** Of a webhook, without its query */
  url?: string;
  /** Of a command */
  argv?: string[];
  /** Of a command; null: the node's */
  cwd?: string | null;
  /** Of one webhook or command */
  timeout_ms?: number;
}

/** A notice that work waits; it assigns nothing */
export interface Wake {
  id?: string;
  run_id?: string;
  session_id?: string;
  /** Of the run; empty: not known */
  name?: string;
  priority?: "urgent" | "high" | "normal" | "low";
  /** The run has waited for long, and others were woken for it too */
  starved?: boolean;
  sent_at?: string;
  /** After that the wake has failed */
  acknowledge_by?: string;
}

/** Wakes */
export interface WakeList {
  wakes?: Wake[];
}

/** A wake that was heard */
export interface WakeAcknowledged {
  id?: string;
  run_id?: string;
  /** It was acknowledged, or its run claimed, before */
  repeated?: boolean;
}

/** The result for one wake */
export interface WakeAnswer {
  code?: string;
  title?: string;
  detail?: string;
  retryable?: boolean;
  errors?: FieldProblem[];
  command?: string;
  /** When it is allowed again */
  retry_after_ms?: number;
  status?: "ok" | "error";
  id?: string;
  run_id?: string;
  repeated?: boolean;
}

/** A result for each wake */
export interface WakeAnswers {
  items?: WakeAnswer[];
  succeeded?: number;
  failed?: number;
}

/** A wake on its way */
export interface WakeSent {
  id?: string;
  run_id?: string;
  session_id?: string;
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
  /** How far apart calls to its provider had better be, as its limits taught */
  delay_ms?: number;
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
  /** To be asked before the work; absent: none */
  condition?: Condition;
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
  /** When it is allowed again */
  retry_after_ms?: number;
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
  /** When it is allowed again */
  retry_after_ms?: number;
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
  /** Runs started by schedules in fire_window */
  fires?: number;
  /** The same for each workspace */
  fires_per_workspace?: number;
  /** The rolling window of both */
  fire_window?: string;
}

/** What is paused, and why */
export interface PauseRow {
  reason?: string;
  /** Who may lift it: operator, node, or a session */
  owner?: string;
  text?: string;
  since?: string | null;
  /** Who set it */
  by?: string;
  /** It lifts itself then */
  until?: string | null;
  scope?: "scheduler" | "workspace" | "job" | "agent_type";
  /** Of the scope workspace */
  workspace?: string;
  /** Of the scope job */
  job_id?: string;
  /** Of the scope agent_type */
  agent_type?: string;
  /** Of a drain: how long somebody waits for it */
  deadline?: string;
  /** Of a drain: since when nothing runs any more */
  drained_at?: string | null;
  /** Of a limit: from `until` on one run tries whether it is over */
  probes?: boolean;
  /** That run */
  probe_run_id?: string | null;
  /** That lifts it */
  command?: string;
}

/** A live lease */
export interface RunningRun {
  run_id?: string;
  name?: string;
  job_id?: string | null;
  /** Its holder */
  session_id?: string;
  /** Name of the holder */
  session?: string;
  claimed_at?: string;
  /** Of the attempt */
  deadline?: string | null;
  lease_expires_at?: string;
}

/** What is paused, and what runs nevertheless */
export interface Pauses {
  /** false: the state could not be read, and everything is held */
  known?: boolean;
  /** What was asked about */
  scope?: "scheduler" | "workspace" | "job" | "agent_type";
  /** Whether that is paused */
  paused?: boolean;
  /** Whether the request changed anything */
  changed?: boolean;
  pauses?: PauseRow[];
  /** A drain still waits */
  draining?: boolean;
  /** A drain stands and nothing runs */
  drained?: boolean;
  /** Live leases */
  live?: number;
  /** The first 500 of them, oldest first */
  running?: RunningRun[];
  /** Of the agent type, or of all */
  delays?: LearnedDelay[];
}

/** How far apart the limits of a provider have taught to call it */
export interface LearnedDelay {
  agent_type?: string;
  delay_ms?: number;
}

/** What a reported limit holds */
export interface Throttled {
  changed?: boolean;
  agent_types?: string[];
  kind?: "throttle" | "quota";
  /** The provider: who lifts it by hand names it */
  owner?: string;
  /** The latest end wins */
  pauses?: PauseRow[];
  delays?: LearnedDelay[];
}

/** How the queue presses on those who submit */
export interface Backpressure {
  /** An episode lasts */
  on?: boolean;
  mode?: "alert" | "reject" | "shed";
  /** It begins when so many runs are queued; 0: never */
  at?: number;
  /** It ends when fewer than this are */
  until?: number;
  /** With shed: lower classes are refused */
  shed_below?: "urgent" | "high" | "normal" | "low";
  /** As of the last commit */
  queued?: number;
  /** Of the episode */
  since?: string | null;
  /** Of a run that is submitted now; null: not known, or no episode */
  wait_ms?: number | null;
}

/** The queue */
export interface QueueState {
  /** Rebuilt from the store and serving */
  ready?: boolean;
  /** The scheduler as a whole: nothing is claimed */
  paused?: boolean;
  /** Everything that is paused */
  pauses?: PauseRow[];
  /** What will be: pauses and windows that have not begun, at most 20 */
  planned?: PauseRow[];
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
  backpressure?: Backpressure;
  delays?: LearnedDelay[];
  /** What happens to runs that nobody takes */
  ladder?: LadderState;
  /** Who is asked before a claim; null: nobody */
  claim_hook?: ClaimHookState | null;
}

/** How the claim hook does, since the start of the node */
export interface ClaimHookState {
  /** What its failures mean for claims */
  on_error?: "closed" | "open";
  /** Questions */
  under_way?: number;
  /** Questions that have ended; each counts below */
  asked?: number;
  allowed?: number;
  narrowed?: number;
  refused?: number;
  /** Without an answer that could be read, in time */
  failed?: number;
  /** null: it works, as far as is known */
  failing_since?: string | null;
  last_failure?: string | null;
  last_failure_at?: string | null;
}

/** How the escalation ladder stands */
export interface LadderState {
  /** Off when the minimum age is 0 */
  on?: boolean;
  /** Nobody took any run of its kind for so long: it is starved */
  minimum_age_ms?: number;
  /** The count of a starved run rises at most once per interval */
  interval_ms?: number;
  /** Until a run that nobody takes needs attention */
  longest_wait_ms?: number;
  next_count_at?: string | null;
  /** The counts at which the rungs fire */
  thresholds?: Record<string, number>;
  /** Runs that starve now */
  starved?: number;
  /** By the highest rung that fired */
  starved_by_rung?: Record<string, number>;
}

/** A run that starves */
export interface RungState {
  episode?: number;
  /** When the episode began */
  since?: string | null;
  count?: number;
  /** The highest that fired */
  rung?: "none" | "fan_out" | "spawn" | "event" | "needs_attention";
  /** A pause or a limit holds its count */
  held?: boolean;
  /** A worker was started for it */
  worker_started?: boolean;
  next_rung?: string | null;
  /** If nothing changes */
  next_rung_at?: string | null;
}

/** A counter and the runs that it counted */
export interface CountedRuns {
  count?: number;
  /** The first thousand */
  runs?: string[];
}

/** A session and the run that it was woken for */
export interface Woken {
  run_id?: string;
  session_id?: string;
  /** Why it failed */
  text?: string | null;
}

/** What one cycle found and did */
export interface CycleResult {
  /** Since the statistics began */
  number?: number;
  began_at?: string | null;
  took_ms?: number;
  /** The scheduler is paused: nobody is woken, nothing climbs */
  paused?: boolean;
  /** Queued runs */
  pending?: number;
  /** Live leases */
  active?: number;
  sessions_scanned?: number;
  /** Had run out, and were taken back since the last cycle */
  recovered_leases?: CountedRuns;
  wakes_attempted?: number;
  /** Handed to the session's sink */
  wakes_succeeded?: number;
  wakes_failed?: number;
  /** The first thousand */
  woken?: Woken[];
  /** The first thousand */
  not_woken?: Woken[];
  /** No capable session, all busy, or wrong scope */
  no_match?: number;
  no_capable_session?: CountedRuns;
  /** Of the runs that are next: whoever may take them has no slot */
  all_busy?: CountedRuns;
  /** Whoever may take them has just been woken for them */
  all_cooldown?: CountedRuns;
  /** Whoever could take them is of another workspace or channel */
  wrong_scope?: CountedRuns;
  /** Sessions passed over because they have just heard of the run */
  recently_notified?: number;
  /** Not queued, or held by a limit */
  unclaimable?: number;
  /** Held by a pause */
  paused_runs?: number;
  /** Runs that starve now */
  starved?: number;
  /** Reached the first rung */
  fanned_out?: CountedRuns;
  spawns_requested?: CountedRuns;
  spawns_refused?: CountedRuns;
  /** Reached the last rung */
  needs_attention?: CountedRuns;
  error?: string | null;
}

/** The sums of all cycles */
export interface CycleStatistics {
  since?: string | null;
  cycles?: number;
  paused_cycles?: number;
  /** Cycles that somebody asked for */
  asked_for?: number;
  rebuilds?: number;
  errors?: number;
  recovered_leases?: number;
  wakes_attempted?: number;
  wakes_succeeded?: number;
  /** Could not be handed over */
  wakes_failed?: number;
  wakes_acknowledged?: number;
  /** Handed over, and nobody acknowledged them in time */
  wakes_unheard?: number;
  no_match?: number;
  no_capable_session?: number;
  all_busy?: number;
  all_cooldown?: number;
  wrong_scope?: number;
  recently_notified?: number;
  fanned_out?: number;
  spawns_requested?: number;
  spawns_refused?: number;
  needs_attention?: number;
  longest_ms?: number;
  average_ms?: number;
  last_cycle_at?: string | null;
  last_wake_at?: string | null;
  last_rebuild_at?: string | null;
  last_error_at?: string | null;
  last_error?: string | null;
  /** So much can be missing after a crash */
  written_every_ms?: number;
}

/** A queued run */
export interface BacklogItem {
  run_id?: string;
  name?: string;
  priority?: string;
  workspace?: string | null;
  lane?: string | null;
  job_id?: string | null;
  eligible_since?: string | null;
  /** Since then */
  age_ms?: number;
  waiting_for?: WaitReason[];
  /** In its lane and priority */
  position?: number | null;
  /** Until it starts, as its lane has moved lately; null: unknown */
  eta_ms?: number | null;
  /** What that rests on, or why it is unknown */
  eta_basis?: string | null;
  /** Null: it does not starve */
  ladder?: RungState | null;
}

/** A page of the line */
export interface Backlog {
  backlog?: BacklogItem[];
  /** Queued runs in all */
  ready?: number;
  /** Live leases */
  live?: number;
  limits?: LimitState;
  ladder?: LadderState;
  next_cursor?: string | null;
}

/** A machine of the cluster */
export interface ClusterNode {
  /** As its certificate says */
  name?: string;
  role?: "coordinator" | "member";
  /** suspect and lost end no lease: only its time does */
  state?: "up" | "suspect" | "lost" | "left";
  /** Its executors take no new runs */
  draining?: boolean;
  /** It is let in no more */
  removed?: boolean;
  /** Of its process, new at each start */
  boot?: string | null;
  /** Where its link comes from */
  address?: string | null;
  /** Of its program */
  version?: string | null;
  /** Capabilities of its executors too */
  labels?: string[];
  /** Words that its executors offer */
  capabilities?: string[];
  executors?: number;
  /** That its executors hold */
  leases?: number;
  /** Of its executors */
  sessions?: string[];
  /** First word of this boot */
  joined_at?: string | null;
  /** Last sign of life */
  seen_at?: string | null;
  /** Of its state */
  changed_at?: string | null;
  /** Of the last beat, there and back */
  latency_ms?: number | null;
}

/** The nodes of the cluster */
export interface NodeList {
  /** Its name; null: this node is alone */
  cluster?: string | null;
  nodes?: ClusterNode[];
}

/** How a node stands in its cluster */
export interface ClusterStanding {
  /** Of the cluster */
  name?: string | null;
  /** Its own name */
  node?: string;
  role?: "coordinator" | "member";
  coordinator?: string | null;
  /** A member that is not passes no requests on */
  joined?: boolean;
  draining?: boolean;
  /** Why it is not joined */
  trouble?: string | null;
  /** Of joined or not */
  since?: string | null;
  /** Nodes; of the coordinator alone */
  up?: number | null;
  suspect?: number | null;
  lost?: number | null;
  /** Their names; null where they are not known */
  lost_nodes?: unknown;
}

/** An expression to be understood */
export interface ScheduleExpression {
  /** Cron, an @ form, or a phrase; docs/reference/schedules.md */
  expression: string;
  /** IANA name, where the expression names none; default UTC */
  zone?: string;
  /** Of a job: what H is derived from */
  name?: string;
  /** Where "in 5 minutes" and the next times count from; default now */
  from?: string;
  /** How many times, 0 to 1,000; default 5 */
  count?: number;
  /** Dates that are excluded besides */
  not_on?: string[];
  /** Times such as 22:00-06:00, over midnight too */
  not_between?: string[];
  /** Calendars, by name */
  not_in?: string[];
  /** What becomes of a time in one of the three; default skip */
  excluded?: "skip" | "postpone";
}

/** What was understood */
export interface ScheduleMeaning {
  /** As it was given */
  expression?: string;
  /** The one text that stands for it; read back as the same schedule */
  canonical?: string;
  /** In words; read back as the same schedule */
  description?: string;
  /** Of its timing group */
  label?: string;
  /** Its time zone */
  zone?: string;
  /** Version of the zone files, where they say it */
  zone_data?: string | null;
  /** It has no times: an event is waited for */
  on_event?: boolean;
  /** Where it counts from */
  from?: string;
  /** The next times, oldest first */
  next?: PlannedTime[];
  /** Times up to the last of these that are excluded or postponed, in ranges; at most 64 */
  left_out?: LeftOut[];
}

/** A time to come */
export interface PlannedTime {
  /** In UTC */
  at?: string;
  /** As the clock of the zone shows it */
  local?: string;
  /** Of the zone from UTC then */
  offset?: string;
  /** What a change of the clock did: moved out of a gap, or in the first or second pass of a repeated hour */
  clock?: "none" | "gap" | "first_pass" | "second_pass";
}

/** An event of yours */
export interface Emission {
  /** Letters, digits, - _ . ; names of belfry's own events are refused */
  name: string;
  /** At most 32 texts of 1 KiB each, by name */
  fields?: Record<string, unknown>;
  /** The run that emits it: its place in a chain of events is its own */
  run?: string;
}

/** What an event has brought about */
export interface Emitted {
  /** Its number in the journal */
  seq?: number;
  at?: string;
  /** Jobs that it fits */
  jobs?: number;
  /** Of those: started at once */
  started?: number;
  /** Of those: it is gathered with others */
  held?: number;
  /** Of those: they are paused, and it is recorded as skipped */
  paused?: number;
  /** Of those: a chain of events ended there */
  too_deep?: number;
  /** Made at once */
  runs?: string[];
}

/** A job that waits for events */
export interface EventTrigger {
  job_id?: string;
  /** Its name */
  job?: string;
  state?: "active" | "paused" | "completed" | "archived";
  /** What it waits for, in its canonical form */
  schedule?: string;
  /** The same in words */
  description?: string | null;
  /** Events that are gathered */
  held?: number;
  first_held_at?: string | null;
  /** When a run is made for them */
  fires_at?: string | null;
  /** The fire limit is what they wait for */
  limited?: boolean;
  /** Events that came while it is paused */
  paused?: number;
}

/** A page of jobs that wait for events */
export interface EventTriggerPage {
  triggers?: EventTrigger[];
  next_cursor?: string | null;
}

/** What is excluded: one of the two */
export interface CalendarContent {
  /** A list of dates and of ranges such as 2026-12-24..2027-01-01, or a text of them; # begins a remark */
  dates?: unknown;
  /** The text of an iCalendar file, at most 4 MiB */
  ics?: string;
}

/** Excluded time under a name */
export interface Calendar {
  name?: string;
  /** What it was made of */
  source?: "dates" | "ics";
  /** From 1; each change of what it excludes is one more */
  revision?: number;
  /** Excluded times in it; days that touch are one */
  periods?: number;
  /** Events of the file that were cancelled or transparent */
  left_out?: number;
  created_at?: string;
  created_by?: string | null;
  changed_at?: string;
  changed_by?: string | null;
  /** Jobs that name it */
  used_by?: number;
  /** Of these: still planned by what it excluded before */
  planning?: number;
  /** Their names, the first 20 */
  jobs?: string[];
  /** Maintenance windows that name it */
  windows?: string[];
  /** The next ones, at most 20; of one calendar */
  coming?: ExcludedTime[];
  /** All of it, as PUT takes it; of one calendar */
  ics?: string;
}

/** Of a calendar */
export interface ExcludedTime {
  /** By the clock of the schedule, or RFC 3339 where the file names a zone */
  from?: string;
  /** Not included */
  to?: string;
}

/** Calendars */
export interface CalendarList {
  calendars?: Calendar[];
}

/** What became of a calendar */
export interface CalendarStored {
  name?: string;
  /** What it was made of */
  source?: "dates" | "ics";
  /** From 1; each change of what it excludes is one more */
  revision?: number;
  /** Excluded times in it; days that touch are one */
  periods?: number;
  /** Events of the file that were cancelled or transparent */
  left_out?: number;
  created_at?: string;
  created_by?: string | null;
  changed_at?: string;
  changed_by?: string | null;
  result?: "created" | "replaced" | "unchanged" | "removed";
  /** Jobs that were planned anew in the same commit */
  replanned?: number;
  /** Others follow in a moment */
  more?: boolean;
}

/** A maintenance window */
export interface WindowDefinition {
  /** When it opens: cron, an @ form, or a phrase */
  schedule: string;
  /** IANA name, where the schedule names none; default UTC */
  zone?: string;
  /** How long it stays open, such as 2h; 1s to 31d */
  for: string;
  /** Say in the journal when nothing runs any more under it */
  drain?: boolean;
  /** Why, for whoever looks at it */
  text?: string;
  /** Only this workspace; empty: what has none */
  workspace?: string;
  /** Only sessions of this type */
  agent_type?: string;
}

/** A maintenance window */
export interface Window {
  name?: string;
  /** In canonical form, with its zone */
  schedule?: string;
  /** In words */
  description?: string | null;
  /** How long it stays open */
  length_ms?: number;
  /** What it holds */
  scope?: "scheduler" | "workspace" | "agent_type";
  workspace?: string;
  agent_type?: string;
  drain?: boolean;
  text?: string | null;
  /** From 1 */
  revision?: number;
  /** Nothing new is claimed now */
  open?: boolean;
  /** Of the opening that it is in, else of the next; null: there is none to come */
  opens_at?: string | null;
  closes_at?: string | null;
  created_at?: string;
  created_by?: string | null;
  changed_at?: string;
  changed_by?: string | null;
  /** Closes it now, or skips the next opening */
  command?: string;
}

/** Maintenance windows */
export interface WindowList {
  windows?: Window[];
}

/** What became of a window */
export interface WindowStored {
  name?: string;
  /** In canonical form, with its zone */
  schedule?: string;
  /** In words */
  description?: string | null;
  /** How long it stays open */
  length_ms?: number;
  /** What it holds */
  scope?: "scheduler" | "workspace" | "agent_type";
  workspace?: string;
  agent_type?: string;
  drain?: boolean;
  text?: string | null;
  /** From 1 */
  revision?: number;
  /** Nothing new is claimed now */
  open?: boolean;
  /** Of the opening that it is in, else of the next; null: there is none to come */
  opens_at?: string | null;
  closes_at?: string | null;
  created_at?: string;
  created_by?: string | null;
  changed_at?: string;
  changed_by?: string | null;
  /** Closes it now, or skips the next opening */
  command?: string;
  result?: "created" | "replaced" | "unchanged" | "removed";
}

/** Times that the triggers say and an exclusion leaves out or postpones */
export interface LeftOut {
  /** excluded or postponed */
  reason?: string;
  /** Such as calendar holidays, or times 22:00-06:00 */
  exclusion?: string | null;
  first?: string;
  last?: string;
  count?: number;
  /** There are more than `count` */
  at_least?: boolean;
  /** Postponed ones are due then */
  moved_to?: string | null;
}

/** What became of planned times: one that is a run, or a range that was skipped */
export interface Occurrence {
  /** As planned; of a range the last one */
  at?: string;
  outcome?: "run" | "skipped";
  /** Made of job and time alone */
  occurrence_id?: string;
  run_id?: string;
  /** Of the run */
  state?: string;
  /** Of the run's state, or why they were skipped */
  reason?: string | null;
  /** With jitter and the fire limit */
  start_at?: string;
  /** It was missed, and made up for */
  caught_up?: boolean;
  /** A fire limit moved it */
  limited?: boolean;
  /** Whose fire limit moved it last */
  limited_by?: "none" | "job" | "workspace" | "node";
  /** What a change of the clock did */
  clock?: "none" | "gap" | "first_pass" | "second_pass";
  /** It was meant for this time, and an exclusion postponed it */
  postponed_from?: string | null;
  /** That left them out or postponed them, such as calendar holidays */
  exclusion?: string | null;
  /** Of the range */
  first?: string;
  /** Of the range */
  last?: string;
  /** Planned times in it that were not made */
  count?: number;
  /** There are more than `count` */
  at_least?: boolean;
  /** Postponed ones are made then */
  moved_to?: string | null;
  /** When that was decided */
  noted_at?: string;
}

/** When the node is not there */
export interface AwayWindow {
  /** It goes away */
  begin: string;
  /** It is back */
  end: string;
}

/** What is to be simulated; without jobs and definitions all jobs that have a schedule */
export interface SimulationRequest {
  /** Default now */
  from?: string;
  /** At most 400 days later; default one day */
  until?: string;
  /** Ids or names of jobs of the node */
  jobs?: string[];
  /** Jobs that are only declared here */
  definitions?: JobDefinition[];
  /** When the node is away; in order, apart, at most 100 */
  down?: AwayWindow[];
  /** How long every run takes; default 0s */
  run_time?: string;
  /** The same for single jobs, by name */
  run_times?: Record<string, unknown>;
  /** Runs at a time; 0: as many as there are */
  slots?: number;
  /** Lines, 1 to 10,000; default 1,000 */
  limit?: number;
}

/** What becomes of a planned time, or of a range of them */
export interface SimulatedLine {
  /** As planned; of a range the first one */
  at?: string;
  /** As the clock of its zone shows it */
  local?: string;
  /** Of the zone from UTC then */
  offset?: string;
  /** Its name */
  job?: string;
  /** A run; not made; skipped because of the run before */
  outcome?: "fires" | "skipped" | "overlap";
  /** When the node plans it */
  decided_at?: string;
  /** In words */
  reason?: string | null;
  /** Of the range */
  first?: string;
  /** Of the range */
  last?: string;
  /** Planned times in it that are not made */
  count?: number;
  /** There are more than `count` */
  at_least?: boolean;
  /** Postponed ones are made then */
  moved_to?: string | null;
  /** Not before: with jitter and fire limits */
  start_at?: string;
  /** When it has a slot; null: not before `until` */
  begins_at?: string | null;
  ends_at?: string | null;
  /** From start_at to begins_at */
  waits_ms?: number;
  /** It was missed, and made up for */
  caught_up?: boolean;
  /** Whose fire limit moved it last */
  limited_by?: "none" | "job" | "workspace" | "node";
  /** What a change of the clock did */
  clock?: "none" | "gap" | "first_pass" | "second_pass";
}

/** How often what happens */
export interface SimulationSummary {
  /** That were simulated */
  jobs?: number;
  /** Runs */
  fires?: number;
  /** Runs for times that were missed */
  caught_up?: number;
  /** Runs that a fire limit moved */
  moved?: number;
  /** Planned times that are not made */
  skipped?: number;
  /** There are more */
  skipped_at_least?: boolean;
  /** Skipped because of the run before */
  overlapped?: number;
  /** Runs that were replaced */
  cancelled?: number;
  /** Times that a run was under way when the node went away */
  begun_again?: number;
  /** Runs that waited for a slot or for the run before */
  waited?: number;
  longest_wait_ms?: number;
  /** Runs that still wait at the end */
  not_begun?: number;
}

/** What would happen */
export interface Simulation {
  from?: string;
  until?: string;
  /** Up to here everything is told */
  upto?: string;
  /** There was more than `limit`, or it took too long */
  cut?: boolean;
  summary?: SimulationSummary;
  /** By planned time, then by job */
  lines?: SimulatedLine[];
}

/** A page of occurrences */
export interface OccurrencePage {
  occurrences?: Occurrence[];
  next_cursor?: string | null;
}

/** Jobs with one schedule */
export interface TimingGroup {
  /** Of the schedule: the same on every node */
  id?: string;
  /** For people; several groups may share one */
  label?: string;
  /** What the members have in common; start and end are a job's own */
  schedule?: string;
  zone?: string;
  /** Active and paused jobs */
  members?: number;
  active?: number;
  paused?: number;
  /** The first time to come of any member */
  next_at?: string | null;
  /** The newest planned time that became a run */
  last_fired_at?: string | null;
}

/** A page of timing groups, by id */
export interface TimingPage {
  /** Those of jobs that wait for events only where they are asked for */
  timings?: TimingGroup[];
  /** How many jobs these are, on every page */
  wait_for_events?: number;
  next_cursor?: string | null;
}

/** A job of a timing group */
export interface TimingMember {
  job_id?: string;
  name?: string;
  state?: "active" | "paused";
  /** With its own start and end */
  schedule?: string;
  /** null: paused, or nothing is left */
  next_at?: string | null;
  last_fired_at?: string | null;
  /** The newest run, by hand or not */
  last_run_id?: string | null;
  last_run_state?: string | null;
}

/** A timing group with a page of its members */
export interface Timing {
  /** Of the schedule: the same on every node */
  id?: string;
  /** For people; several groups may share one */
  label?: string;
  /** What the members have in common; start and end are a job's own */
  schedule?: string;
  zone?: string;
  /** Active and paused jobs */
  members?: number;
  active?: number;
  paused?: number;
  /** The first time to come of any member */
  next_at?: string | null;
  /** The newest planned time that became a run */
  last_fired_at?: string | null;
  /** By age */
  jobs?: TimingMember[];
  next_cursor?: string | null;
}

/** What to run of a timing group */
export interface TimingRun {
  /** Although paused, or another run is open */
  force?: boolean;
  /** Not by hand: plan what is due by each job's cursor, as the node does by itself. What was planned before is not planned again */
  due?: boolean;
}

/** A run of a member */
export interface TimingMadeRun {
  id?: string;
  /** skipped: the overlap policy of the job said so */
  state?: string;
  /** Not before then */
  due_at?: string | null;
  reason?: string | null;
}

/** What became of one member */
export interface TimingOutcome {
  code?: string;
  title?: string;
  detail?: string;
  retryable?: boolean;
  errors?: FieldProblem[];
  command?: string;
  /** When it is allowed again */
  retry_after_ms?: number;
  job_id?: string;
  name?: string;
  status?: "ok" | "unchanged" | "error";
  runs?: TimingMadeRun[];
}

/** What became of the members; of "due" only those that had something due */
export interface TimingRunAnswer {
  id?: string;
  label?: string;
  schedule?: string;
  /** That were looked at */
  members?: number;
  /** Runs that were made */
  made?: number;
  /** Runs that were recorded as skipped */
  skipped?: number;
  /** Members that were refused */
  refused?: number;
  items?: TimingOutcome[];
  /** There are more members: ask again with it */
  next_cursor?: string | null;
}

/** Why a timing group is held */
export interface TimingPause {
  /** In plain words */
  text?: string;
}

/** What became of the members */
export interface TimingPauseAnswer {
  id?: string;
  label?: string;
  schedule?: string;
  /** That were looked at */
  members?: number;
  changed?: number;
  refused?: number;
  items?: TimingOutcome[];
  /** There are more members: ask again with it */
  next_cursor?: string | null;
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
  /** Of those looked at, by hour of the day (UTC), from 0 to 23 */
  started_by_hour?: number[];
  /** What they failed of, most often first; at most 10 */
  failures?: FailurePattern[];
}

/** Failures that say the same, numbers and ids left out */
export interface FailurePattern {
  class?: string;
  /** # stands for what differs */
  text?: string;
  count?: number;
  /** The newest of them */
  last_run_id?: string;
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

/** What is wrong */
export interface Diagnosis {
  /** critical: unhealthy; warning or error: degraded */
  health?: "healthy" | "degraded" | "unhealthy";
  checked_at?: string;
  /** The node did not answer; its folder was looked at instead */
  offline?: boolean;
  /** The worst first */
  findings?: Finding[];
}

/** One thing that is wrong, or worth knowing */
export interface Finding {
  /** Stable; docs/diagnostics.md has them all */
  code?: string;
  severity?: "info" | "warning" | "error" | "critical";
  text?: string;
  evidence?: string[];
  /** That helps */
  command?: string | null;
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
  /** How it stands in its cluster; null: it is alone */
  cluster?: ClusterStanding | null;
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

/** A worker that the node has started for an agent type */
export interface Worker {
  session_id?: string;
  /** That it was started for; null: by hand */
  run_id?: string | null;
  workspace?: string;
  state?: "starting" | "ready" | "draining" | "stopping" | "ended";
  /** Why it ended, or is being stopped */
  end?: "none" | "not_started" | "died_at_start" | "never_registered" | "misfit" | "exited" | "crashed" | "ttl" | "idle" | "session_ended" | "node_stopped" | "node_gone";
  /** Of the end */
  text?: string;
  /** Leader of its process group; 0: there was none */
  pid?: number;
  created_at?: string;
  /** Of the state */
  since?: string;
  /** When it is told to drain */
  ttl_at?: string;
}

/** A kind of worker that the node can start by itself */
export interface AgentType {
  name?: string;
  command?: string[];
  capabilities?: string[];
  /** null: that of the run */
  workspace?: string | null;
  /** null: that of the run */
  channel?: string | null;
  /** null: the directory for runs */
  cwd?: string | null;
  /** Names only */
  env?: string[];
  /** Names of what is handed on from the node's environment */
  pass_env?: string[];
  /** Providers whose limits it works under */
  resources?: string[];
  slots?: number;
  max?: number;
  per_workspace?: number;
  ttl_ms?: number;
  drain_ms?: number;
  /** 0: not watched */
  idle_ttl_ms?: number;
  start_timeout_ms?: number;
  grace_ms?: number;
  backoff_ms?: number;
  backoff_max_ms?: number;
  /** How its workers are woken */
  wake?: WakeSink;
  /** Workers of it now */
  living?: number;
  /** In a row */
  failures?: number;
  /** The pause that keeps the node from starting any, or one of them */
  paused?: string | null;
  /** Nobody is started before */
  backing_off_until?: string | null;
  last_failure?: string | null;
}

/** An agent type with its workers */
export interface AgentTypeDetails {
  name?: string;
  command?: string[];
  capabilities?: string[];
  /** null: that of the run */
  workspace?: string | null;
  /** null: that of the run */
  channel?: string | null;
  /** null: the directory for runs */
  cwd?: string | null;
  /** Names only */
  env?: string[];
  /** Names of what is handed on from the node's environment */
  pass_env?: string[];
  /** Providers whose limits it works under */
  resources?: string[];
  slots?: number;
  max?: number;
  per_workspace?: number;
  ttl_ms?: number;
  drain_ms?: number;
  /** 0: not watched */
  idle_ttl_ms?: number;
  start_timeout_ms?: number;
  grace_ms?: number;
  backoff_ms?: number;
  backoff_max_ms?: number;
  /** How its workers are woken */
  wake?: WakeSink;
  /** Workers of it now */
  living?: number;
  /** In a row */
  failures?: number;
  /** The pause that keeps the node from starting any, or one of them */
  paused?: string | null;
  /** Nobody is started before */
  backing_off_until?: string | null;
  last_failure?: string | null;
  /** How far apart calls to its provider had better be; 0: nothing learned */
  delay_ms?: number;
  /** What holds it */
  pauses?: PauseRow[];
  /** Newest first, those that ended too, at most 100 */
  workers?: Worker[];
}

/** Agent types */
export interface AgentTypeList {
  /** By name */
  agent_types?: AgentType[];
}

/** Somebody was started */
export interface WorkerSpawned {
  session_id?: string;
  agent_type?: string;
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
