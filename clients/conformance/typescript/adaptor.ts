// The TypeScript client behind the line protocol of clients/conformance/README.md.
import process from "node:process";
import { createInterface } from "node:readline";

import {
  Attempt, Cancelled, Client, Failed, Parked, Refused, Released, SpoolBusy, SpoolFull, StaleLease, Submission, Unreachable, Worker,
} from "../../typescript/src/index.js";

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Any = any;

let client: Client;
let worker: Worker;

function say(message: Record<string, unknown>): void {
  process.stdout.write(JSON.stringify(message) + "\n");
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function describe(error: unknown): Record<string, unknown> {
  const kinds: [new (...args: never[]) => unknown, string][] = [[StaleLease, "stale_lease"], [Refused, "refused"],
    [Unreachable, "unreachable"], [SpoolFull, "spool_full"], [SpoolBusy, "spool_busy"]];
  const kind = kinds.find(([type]) => error instanceof type)?.[1] ?? "other";
  const told = { kind, text: error instanceof Error ? error.message : String(error) };
  if (!(error instanceof Refused)) return told;
  const { status, code, detail, errors, command } = error;
  return { ...told, status, code, detail, errors, command };
}

function cancelledWithin(attempt: Attempt, ms: number): Promise<boolean> {
  return new Promise((done) => {
    const timer = setTimeout(() => done(false), ms);
    const told = () => {
      clearTimeout(timer);
      done(true);
    };
    if (attempt.signal.aborted) told();
    attempt.signal.addEventListener("abort", told);
  });
}

async function takeStep(attempt: Attempt, step: Any): Promise<void> {
  if ("sleep_ms" in step) await sleep(step.sleep_ms);
  else if ("wait_cancel_ms" in step) {
    if (await cancelledWithin(attempt, step.wait_cancel_ms))
      say({ event: "cancelled", run: attempt.runId, reason: attempt.cancelReason });
  } else if ("progress" in step) attempt.progress(step.progress, step.text);
  else if ("log" in step) attempt.log(step.log, step.stream);
  else if ("checkpoint" in step) await attempt.saveCheckpoint(step.checkpoint);
}

function finish(end: Any): unknown {
  if ("fail" in end)
    throw new Failed(end.fail.message, { class: end.fail.class, retryAfterMs: end.fail.retry_after_ms });
  if ("release" in end) throw new Released(end.release.message, end.release.delay_ms);
  if ("park" in end) throw new Parked(end.park.for_ms, end.park.message, end.park.resource);
  if ("cancelled" in end) throw new Cancelled("stopped");
  if ("throw" in end) throw new Error(end.throw);
  if ("complete_bytes" in end) return "x".repeat(end.complete_bytes);
  return end.complete;
}

async function perform(attempt: Attempt): Promise<unknown> {
  const payload = (attempt.payload ?? {}) as Any;
  say({
    event: "began", run: attempt.runId, attempt: attempt.number, fencing: attempt.fencing, payload,
    checkpoint: attempt.checkpoint, previous: attempt.previous.map((p) => p.outcome),
    token_shown: "token" in attempt.claim, at: now(),
  });
  try {
    for (const step of payload.steps ?? []) await takeStep(attempt, step);
    return finish(payload.end ?? { complete: null });
  } finally {
    say({ event: "ended", run: attempt.runId, attempt: attempt.number, at: now() });
  }
}

function openClient(c: Any): object {
  client = new Client({
    url: c.url, timeoutMs: c.timeout_ms, spoolAfterMs: c.spool_after_ms,
    retry: { baseMs: c.base_ms, capMs: c.cap_ms, giveUpAfterMs: c.give_up_after_ms },
    ...(c.spool && {
      spool: {
        directory: c.spool.directory, maxEntries: c.spool.max_entries, maxBytes: c.spool.max_bytes,
        ...(c.spool.resend_within_ms !== undefined && { resendWithinMs: c.spool.resend_within_ms }),
      },
    }),
  });
  return {};
}

function submitted(s: Submission<unknown>): object {
  return { key: s.key, spooled: s.spooled, replayed: s.replayed, answer: s.answer };
}

function work(c: Any): object {
  worker = new Worker(client, perform, {
    name: c.name, ...(c.agent_type !== undefined && { agentType: c.agent_type }),
    ...(c.capabilities !== undefined && { capabilities: c.capabilities }), ...(c.slots !== undefined && { slots: c.slots }),
    leaseMs: c.lease_ms, heartbeatMs: c.heartbeat_ms, waitMs: c.wait_ms, drainTimeoutMs: c.drain_timeout_ms,
    reported: (r) => say({
      event: "reported", run: r.runId, attempt: r.attempt, said: r.said, accepted: r.accepted, state: r.state,
      code: r.problem instanceof Refused ? r.problem.code : "",
    }),
  });
  worker.run().then(() => say({ event: "stopped", error: null }), (error) => say({ event: "stopped", error: describe(error) }));
  return {};
}

const commands: Record<string, (c: Any) => unknown> = {
  client: openClient,
  submit: async (c) => submitted(await client.submit(c.run, c.key === undefined ? {} : { key: c.key })),
  submit_many: async (c) => submitted(await client.submitMany(c.runs)),
  get: (c) => client.getRun(c.run),
  reissue: (c) => client.reissueLeases(c.session),
  wakes: (c) => client.waitForWakes(c.session, c.wait_ms, c.after),
  acknowledge: (c) => client.acknowledgeWakes(c.session, c.wakes),
  spool: () => ({ pending: client.spooled, refused: client.spoolRefused().map((e) => e.problem?.["code"]) }),
  work,
  stop: () => (worker.stop(), {}),
  close: async () => (await client.close(), {}),
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    say({ id: command.id, ok: await commands[command.do]!(command) });
  } catch (error) {
    say({ id: command.id, error: describe(error) });
  }
}
process.exit(0);
