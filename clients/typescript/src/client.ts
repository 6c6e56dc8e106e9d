// Submit runs and look at them.
import { randomUUID } from "node:crypto";

import type { Claims, Run, RunHead, Submission as RunSubmission, Submitted, SubmittedBatch, Wake, WakeAnswer, WakeAnswers,
  WakeList } from "./api.js";
import { BelfryError, Refused, Unreachable } from "./errors.js";
import { Entry, Spool, SpoolOptions } from "./spool.js";
import { pause, pauseAfter, RetryOptions, Transport } from "./transport.js";

/** All members are there: the node always writes them. */
export type Whole<T> = { [Name in keyof T]-?: Exclude<T[Name], undefined> };

export interface ClientOptions {
  /** Default http://127.0.0.1:7420 */
  url?: string;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** Of one exchange. Default 30,000. */
  timeoutMs?: number;
  retry?: Partial<RetryOptions>;
  /** Absent: a submission that cannot reach the node is an error. */
  spool?: SpoolOptions;
  /** With a spool: how long a submission is tried before it is kept. Default 2,000. */
  spoolAfterMs?: number;
  /** Told what a person may want to know. Default: console.error. */
  log?: (line: string) => void;
}

export interface Submission<Taken> {
  /** The Idempotency-Key. Submitted again with it, the same content is the same run. */
  key: string;
  /** The node's answer; null while it waits in the spool. */
  answer: Whole<Taken> | null;
  /** The node had taken it before: an answer was lost on the way. */
  replayed: boolean;
  /** It waits in the spool. */
  spooled: boolean;
}

const TERMINAL = ["succeeded", "failed", "timed_out", "lost", "cancelled", "skipped"];

/** A node, as one process sees it. */
export class Client {
  readonly transport: Transport;
  readonly log: (line: string) => void;
  private readonly spool: Spool | null;
  private readonly spoolAfterMs: number;
  private readonly closed = new AbortController();
  private delivery: Promise<void> | null = null;

  constructor(options: ClientOptions = {}) {
    this.transport = new Transport(options.url ?? "http://127.0.0.1:7420", options.headers ?? {},
      options.timeoutMs ?? 30_000, options.retry ?? {});
    this.log = options.log ?? ((line) => console.error(line));
    this.spoolAfterMs = Math.min(options.spoolAfterMs ?? 2_000, this.transport.retry.giveUpAfterMs);
    this.spool = options.spool ? new Spool(options.spool) : null;
    this.startDelivery();
  }

  /** What is in the spool stays there for the next process. */
  async close(): Promise<void> {
    this.closed.abort();
    await this.delivery;
    this.spool?.close();
  }

  /**
   * Hands in one run. Durable when it resolves: with the node or, if there is one, in the spool. One call is one
   * logical submission: it is sent with the same Idempotency-Key until the node has answered. Give `key` to make it the
   * same across calls and processes, within 24 h.
   */
  submit(run: RunSubmission, options: { key?: string } = {}): Promise<Submission<Submitted>> {
    return this.submitTo("/v1/runs", run, options.key);
  }

  /** Up to 1,000 runs, all or none. */
  submitMany(runs: RunSubmission[], options: { key?: string } = {}): Promise<Submission<SubmittedBatch>> {
    return this.submitTo("/v1/runs:batch", { runs }, options.key);
  }

  async getRun(id: string): Promise<Whole<Run>> {
    return (await this.transport.ask("GET", `/v1/runs/${encodeURIComponent(id)}`)).body as Whole<Run>;
  }

  async cancelRun(id: string, reason?: string): Promise<Whole<RunHead>> {
    const content = JSON.stringify(reason === undefined ? {} : { reason });
    return (await this.transport.ask("POST", `/v1/runs/${encodeURIComponent(id)}:cancel`, content)).body as Whole<RunHead>;
  }

  /**
   * New tokens for the runs that a session holds, all of them or `runs`, for a worker that came back under its id without
   * them. In the shape of a claim; whoever still has an old token gets StaleLease from now on.
   */
  async reissueLeases(sessionId: string, options: { runs?: string[]; lease?: string } = {}): Promise<Whole<Claims>> {
    const path = `/v1/sessions/${encodeURIComponent(sessionId)}/leases:reissue`;
    return (await this.transport.ask("POST", path, JSON.stringify(options))).body as Whole<Claims>;
  }

  /**
   * The wakes that a session has not acknowledged, those behind `after` if that is given; waits up to `waitMs` (at most
   * 60,000) for one. Advice only: a `Worker`, which waits in its claims, needs none.
   */
  async waitForWakes(session: string, waitMs = 30_000, after?: string): Promise<Whole<Wake>[]> {
    const behind = after === undefined ? "" : `&after=${encodeURIComponent(after)}`;
    const path = `/v1/sessions/${encodeURIComponent(session)}/wakes?wait=${Math.round(waitMs)}ms${behind}`;
    const page = (await this.transport.ask("GET", path, undefined, { timeoutMs: waitMs + 30_000 })).body as WakeList;
    return (page.wakes ?? []) as Whole<Wake>[];
  }

  /** Says that up to 1,000 wakes were heard; a result for each, in order. Again is fine. */
  async acknowledgeWakes(session: string, wakes: readonly string[]): Promise<WakeAnswer[]> {
    const path = `/v1/sessions/${encodeURIComponent(session)}/wakes:ack`;
    const answer = (await this.transport.ask("POST", path, JSON.stringify({ wakes }))).body as WakeAnswers;
    return answer.items ?? [];
  }

  /** The run when it has ended; an error when it has not within `timeoutMs`. */
  async waitFor(id: string, timeoutMs = 60_000): Promise<Whole<Run>> {
    const until = performance.now() + timeoutMs;
    for (let wait = 50; ; wait = Math.min(wait * 1.5, 2000)) {
      const run = await this.getRun(id);
      if (TERMINAL.includes(run.state)) return run;
      if (performance.now() + wait > until) throw new BelfryError(`${id} is still ${run.state} after ${timeoutMs} ms`);
      await pause(wait);
    }
  }

  /** Entries that wait for delivery. */
  get spooled(): number {
    return this.spool?.pending ?? 0;
  }

  /** Entries that the node refused, or that are too old to be sent again, each with its `problem`. */
  spoolRefused(): Entry[] {
    return this.spool?.refused() ?? [];
  }

  /** Waits until the spool is empty; false when it is not within `timeoutMs`. */
  async flush(timeoutMs = 30_000): Promise<boolean> {
    const until = performance.now() + timeoutMs;
    while (this.spooled > 0) {
      if (performance.now() > until) return false;
      await pause(50);
    }
    return true;
  }

  private async submitTo<Taken>(path: string, body: unknown, key = randomUUID() as string): Promise<Submission<Taken>> {
    const content = JSON.stringify(body);
    let maybeSent = false;
    if (this.spooled === 0) { // else it would overtake what waits
      try {
        const answer = await this.transport.ask("POST", path, content, {
          key,
          ...(this.spool ? { retry: { giveUpAfterMs: this.spoolAfterMs } } : {}),
          failed: (error) => { maybeSent ||= !(error instanceof Unreachable) || error.maybeSent; },
        });
        return { key, answer: answer.body as Whole<Taken>, replayed: answer.replayed, spooled: false };
      } catch (error) {
        const later = error instanceof Unreachable || (error instanceof Refused && error.worthARetry);
        if (!this.spool || !later) throw error;
      }
    }
    this.spool!.append(path, content, key, maybeSent);
    this.startDelivery();
    return { key, answer: null, replayed: false, spooled: true };
  }

  private startDelivery(): void {
    if (this.spooled === 0 || this.delivery !== null || this.closed.signal.aborted) return;
    this.delivery = this.deliver().finally(() => {
      this.delivery = null;
      this.startDelivery(); // something may have come in the last moment
    });
  }

  private async deliver(): Promise<void> {
    const pace = { baseMs: 200, capMs: 30_000, giveUpAfterMs: 0 };
    for (let failures = 0; this.spooled > 0 && !this.closed.signal.aborted;) {
      try {
        await this.spool!.deliver(this.transport);
        failures = 0;
      } catch (error) {
        failures += 1;
        const wait = pauseAfter(pace, failures, error instanceof Refused ? error.retryAfter : undefined);
        this.log(`spool-waits entries=${this.spooled} next_try_ms=${Math.round(wait)}: ${(error as Error).message}`);
        await pause(wait, this.closed.signal);
      }
    }
  }
}
