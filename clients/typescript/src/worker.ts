// The worker loop: register, claim, hand to the handler, keep the lease, report.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import process from "node:process";

import type { Session, Settled } from "./api.js";
import { Attempt, Cancelled, Claim, Failed, Parked, plain, Released } from "./attempt.js";
import type { Client } from "./client.js";
import { Refused, StaleLease, Unreachable } from "./errors.js";
import { Held } from "./keeper.js";
import { pause, pauseAfter } from "./transport.js";

/** What became of the end of one attempt. */
export interface Report {
  runId: string;
  attempt: number;
  said: "complete" | "fail" | "release" | "park";
  /** The node recorded it. False: see `problem`; `stale_lease` means that it is kept as evidence only. */
  accepted: boolean;
  /** The state of the run after it, "" when it was not accepted. */
  state: string;
  problem?: Refused | Unreachable;
}

/**
 * A worker that the node has started for an agent type comes back as the session that BELFRY_SESSION names, and takes
 * agentType, workspace, channel, capabilities and slots from its environment where they are not given here.
 */
export interface WorkerOptions {
  /** Default: host and process id. */
  name?: string;
  agentType?: string;
  workspace?: string;
  channel?: string;
  capabilities?: string[];
  /** Runs at a time. Default 1. */
  slots?: number;
  metadata?: Record<string, unknown>;
  /** Only runs of this priority or a more urgent one. */
  atLeast?: "urgent" | "high" | "normal" | "low";
  /** Length of the leases. Default 60,000. */
  leaseMs?: number;
  /** Between two heartbeats of a lease. Default a third of the lease, at most 10,000. */
  heartbeatMs?: number;
  /** Length of a long poll, at most 60,000. Default 30,000. */
  waitMs?: number;
  /** How long handlers may go on after a stop before they are cancelled. Default 60,000. */
  drainTimeoutMs?: number;
  /** How long an end is sent again while the node cannot be reached. Default 600,000. */
  reportForMs?: number;
  /** Told of every end. */
  reported?: (report: Report) => void;
}

/** What it returns, or resolves to, is the result. */
export type Handler = (attempt: Attempt) => unknown;

type Claimed = Claim & { token: string };
type End = { said: Report["said"]; members: Record<string, unknown> };

export class Worker {
  sessionId: string | null = null;
  private readonly slots: number;
  private readonly spawned: boolean;
  private registered = false;
  private readonly who: { agentType: string; workspace: string | undefined; channel: string | undefined;
    capabilities: string[] | undefined };
  private readonly leaseMs: number;
  private readonly heartbeatMs: number;
  private readonly waitMs: number;
  private readonly held = new Set<Held>();
  private readonly stopping = new AbortController(); // ends the claim that waits
  private readonly atOnce = new AbortController(); // ends retries of reports
  private draining = false;
  private stops = 0;
  private wakers: (() => void)[] = [];
  private failure: unknown = null;

  constructor(private readonly client: Client, private readonly handler: Handler, private readonly options: WorkerOptions = {}) {
    const given: Record<string, string | undefined> = process.env["BELFRY_SESSION"] ? process.env : {};
    const words = given["BELFRY_CAPABILITIES"]?.split(",").filter((word) => word !== "");
    this.who = {
      agentType: options.agentType ?? (given["BELFRY_AGENT_TYPE"] || "typescript"),
      workspace: options.workspace ?? given["BELFRY_WORKSPACE"], channel: options.channel ?? given["BELFRY_CHANNEL"],
      capabilities: options.capabilities ?? words,
    };
    this.sessionId = given["BELFRY_SESSION"] ?? null;
    this.spawned = this.sessionId !== null;
    if (given["BELFRY_TOKEN"]) client.transport.sessionToken = given["BELFRY_TOKEN"];
    this.slots = options.slots ?? Number(given["BELFRY_SLOTS"] || 1);
    this.leaseMs = options.leaseMs ?? 60_000;
    this.heartbeatMs = options.heartbeatMs ?? Math.min(this.leaseMs / 3, 10_000);
    this.waitMs = options.waitMs ?? 30_000;
  }

  /**
   * Works until `stop`, one of the signals `stopOn`, or a drain asked for at the node. The first stop drains: nothing new
   * is claimed, handlers go on for `drainTimeoutMs`. The second cancels them. Rejects with what the node refused for
   * good, such as a registration with a mistake in it. To be called once.
   */
  async run(options: { stopOn?: string[] } = {}): Promise<void> {
    const onSignal = () => this.stop();
    for (const name of options.stopOn ?? []) process.on(name, onSignal);
    try {
      const claiming = this.claimLoop();
      await this.until(() => this.draining || this.stops > 0);
      this.draining = true;
      await this.endClaim(claiming);
      await this.until(() => this.held.size === 0 || this.stops > 1, this.options.drainTimeoutMs ?? 60_000);
      for (const held of this.held) held.attempt.cancel("stop");
      await this.until(() => this.held.size === 0, 10_000);
      this.atOnce.abort();
      await this.until(() => this.held.size === 0, 1_000);
      for (const held of this.held) held.end(); // a handler that does not end: its lease runs out
      await this.leave();
    } finally {
      for (const name of options.stopOn ?? []) process.off(name, onSignal);
    }
    if (this.failure !== null) throw this.failure;
  }

  /** Once: drain. Twice: at once. */
  stop(): void {
    this.stops += 1;
    this.wake();
  }

  /** Resolves when `condition` holds, or the time is over. */
  private async until(condition: () => boolean, ms = 2 ** 31 - 1): Promise<void> {
    const over = new AbortController();
    const time = pause(ms, over.signal);
    let done = false;
    void time.then(() => { done = true; });
    while (!condition() && !done) await Promise.race([time, new Promise<void>((woken) => this.wakers.push(woken))]);
    over.abort();
  }

  private wake(): void {
    const wakers = this.wakers;
    this.wakers = [];
    for (const woken of wakers) woken();
  }

  // --- claims ---

  private async claimLoop(): Promise<void> {
    let failures = 0;
    try {
      while (!this.draining) {
        await this.until(() => this.draining || this.held.size < this.slots);
        if (this.draining) return;
        try {
          for (const claim of await this.claim(Math.min(this.slots - this.held.size, 1000))) this.take(claim);
          failures = 0;
        } catch (error) {
          if (!(error instanceof Unreachable) && !(error instanceof Refused && error.worthARetry)) throw error;
          if (this.draining) return;
          failures += 1;
          const wait = pauseAfter(this.client.transport.retry, failures, error instanceof Refused ? error.retryAfter : undefined);
          this.client.log(`claim-failed next_try_ms=${Math.round(wait)}: ${error.message}`);
          await pause(wait, this.stopping.signal);
        }
      }
    } catch (error) { // refused for good: tell it to who called run()
      this.failure = error;
      this.draining = true;
      this.wake();
    }
  }

  private async claim(free: number): Promise<Claimed[]> {
    if (!this.registered) await this.register(this.spawned);
    const content = JSON.stringify({
      session: this.sessionId, max: free, wait: duration(this.waitMs), lease: duration(this.leaseMs), start: true,
      at_least: this.options.atLeast,
    });
    let answer: { claims: Claimed[]; commands?: string[]; reasons?: unknown[] };
    try {
      const options = { timeoutMs: this.waitMs + 15_000, signal: this.stopping.signal };
      answer = (await this.client.transport.once("POST", "/v1/claims", content, options)).body as typeof answer;
    } catch (error) {
      if (this.spawned) throw error; // whom the node has started it for is all that it is here for
      if (!(error instanceof Refused) || (error.status !== 404 && error.code !== "invalid_transition")) throw error;
      await this.register(true); // removed, or lost with the node's store
      return [];
    }
    if (answer.commands?.includes("drain")) this.drainAsked();
    else if (answer.claims.length === 0 && (answer.reasons?.length ?? 0) > 0)
      await pause(Math.min(this.waitMs, 1000), this.stopping.signal); // the node says at once that it would wait in vain
    return answer.claims;
  }

  private async register(again: boolean): Promise<void> {
    const o = this.options;
    const id = again ? this.sessionId : null;
    const content = JSON.stringify({
      name: o.name ?? `${hostname()}-${process.pid}`, agent_type: this.who.agentType, workspace: this.who.workspace,
      channel: this.who.channel, capabilities: this.who.capabilities, slots: this.slots, metadata: o.metadata,
      id: id ?? undefined,
      wake: { sink: "none" }, // it waits in its claims
    });
    try {
      const answer = await this.client.transport.ask("POST", "/v1/sessions", content,
        { key: randomUUID(), retry: { giveUpAfterMs: Infinity }, signal: this.stopping.signal });
      this.sessionId = (answer.body as Session).id!;
    } catch (error) {
      if (this.spawned || id === null || !(error instanceof Refused) || error.status !== 404) throw error;
      this.sessionId = null;
      return this.register(false);
    }
    this.registered = true;
    this.client.log(`registered session=${this.sessionId}`);
  }

  private drainAsked(): void {
    if (this.draining) return;
    this.client.log(`drain-asked session=${this.sessionId}`);
    this.draining = true;
    this.wake();
  }

  // --- one attempt ---

  private take({ token, ...claim }: Claimed): void {
    const attempt = new Attempt(claim, (_, value) => this.saveCheckpoint(held, value));
    const held: Held = new Held(attempt, token, this.client.transport, {
      leaseMs: this.leaseMs, heartbeatMs: this.heartbeatMs, drain: () => this.drainAsked(), log: this.client.log,
    });
    this.held.add(held);
    if (this.draining) attempt.cancel("stop"); // it came while we were stopping
    void this.perform(held);
  }

  private async perform(held: Held): Promise<void> {
    try {
      const end = await this.outcome(held.attempt);
      await held.flush();
      await this.report(held, end);
    } catch (error) {
      this.client.log(`report-failed run=${held.attempt.runId}: ${String(error)}`);
    } finally {
      held.end();
      this.held.delete(held);
      this.wake();
    }
  }

  private async outcome(attempt: Attempt): Promise<End> {
    try {
      attempt.throwIfCancelled();
      const result = await this.handler(attempt);
      JSON.stringify(result); // throws on what is no JSON
      return { said: "complete", members: { result: result ?? undefined } };
    } catch (error) {
      return endOf(error);
    }
  }

  private async report(held: Held, end: End): Promise<void> {
    const { attempt } = held;
    const told: Report = { runId: attempt.runId, attempt: attempt.number, said: end.said, accepted: false, state: "" };
    try {
      const answer = await this.client.transport.ask("POST", held.path(end.said), held.body(end.members),
        { retry: { giveUpAfterMs: this.options.reportForMs ?? 600_000 }, signal: this.atOnce.signal });
      told.accepted = true;
      told.state = (answer.body as Settled).state ?? "";
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof Unreachable)) throw error;
      // Sent once if the lease is lost: the node keeps it as evidence, and another attempt is under way or done.
      if (error instanceof StaleLease) attempt.cancel("lease_lost");
      told.problem = error;
      this.client.log(`end-not-taken run=${attempt.runId} attempt=${attempt.number}: ${error.message}`);
    }
    this.options.reported?.(told);
    const mistake = told.problem instanceof Refused && [400, 413, 422].includes(told.problem.status);
    if (mistake && end.said !== "fail") {
      const message = plain(`the end was refused: ${told.problem!.message}`, 4000);
      await this.report(held, { said: "fail", members: { class: "permanent", message } });
    }
  }

  private async saveCheckpoint(held: Held, value: unknown): Promise<void> {
    try {
      await this.client.transport.ask("POST", held.path("checkpoint"), held.body({ checkpoint: value }),
        { retry: { giveUpAfterMs: this.leaseMs } });
    } catch (error) {
      if (!(error instanceof StaleLease)) throw error;
      held.attempt.cancel("lease_lost");
      throw new Cancelled(`stopped: ${error.message}`);
    }
  }

  // --- the end ---

  // A claim whose answer is lost would keep its runs until their leases end. So the node is asked to answer it, and only
  // if that does not help the connection is cut.
  private async endClaim(claiming: Promise<void>): Promise<void> {
    this.wake(); // lets a loop that waits for a slot see the end
    let ended = false;
    const end = claiming.then(() => { ended = true; });
    await Promise.resolve();
    if (this.sessionId !== null && !ended) {
      try {
        await this.client.transport.once("POST", `/v1/sessions/${this.sessionId}:drain`, "{}", { timeoutMs: 2000 });
        const over = new AbortController();
        await Promise.race([end, pause(1000, over.signal)]);
        over.abort();
      } catch {
        // It is cut then.
      }
    }
    this.stopping.abort();
    await end;
  }

  private async leave(): Promise<void> {
    if (!this.registered || this.held.size > 0) return; // else the session is not ours to end
    try {
      await this.client.transport.ask("DELETE", `/v1/sessions/${this.sessionId}`, undefined, { retry: { giveUpAfterMs: 2000 } });
    } catch (error) {
      this.client.log(`session-left session=${this.sessionId}: ${(error as Error).message}`);
    }
  }
}

function duration(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${Math.round(ms)}ms`;
}

function endOf(error: unknown): End {
  const text = plain(error instanceof Error ? error.message : String(error), 4000);
  const message = text === "" ? undefined : text;
  if (error instanceof Cancelled) return { said: "release", members: { message } };
  if (error instanceof Released) return { said: "release", members: { message, delay: duration(error.delayMs) } };
  if (error instanceof Parked)
    return { said: "park", members: { message, for: duration(error.forMs), resource: error.resource } };
  if (error instanceof Failed) {
    const { how } = error;
    return { said: "fail", members: { message, class: how.class, retry_after: duration(how.retryAfterMs), result: how.result } };
  }
  return { said: "fail", members: { message: plain(error instanceof Error ? String(error) : text, 4000), class: "error" } };
}
