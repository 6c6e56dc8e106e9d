// Keeps one lease: its heartbeats on a timer, and progress and log lines beside them, so that they wait for nobody.
import type { LeaseStatus } from "./api.js";
import type { Attempt, LogLine } from "./attempt.js";
import { Refused, StaleLease, Unreachable } from "./errors.js";
import { pause, Transport } from "./transport.js";

const LINES_AT_ONCE = 500;
const BYTES_AT_ONCE = 256 * 1024;

export interface KeeperOptions {
  leaseMs: number;
  heartbeatMs: number;
  drain: () => void;
  log: (line: string) => void;
}

export class Held {
  lost = false;
  private readonly timeoutMs: number;
  private leaseUntil: number;
  private beatTimer: ReturnType<typeof setTimeout> | undefined;
  private writeTimer: ReturnType<typeof setTimeout> | undefined;
  private ended = false;
  private writing: Promise<void> = Promise.resolve();
  private sending: LogLine[] = []; // a portion that the node has not confirmed
  private first = 1; // number of its first line

  constructor(readonly attempt: Attempt, private readonly token: string, private readonly transport: Transport, private readonly o: KeeperOptions) {
    this.timeoutMs = Math.max(1000, Math.min(10_000, o.leaseMs / 3));
    this.leaseUntil = performance.now() + o.leaseMs;
    this.beatLater(o.heartbeatMs);
    attempt.changed = () => this.writeLater(100);
  }

  /** Says something about the lease. */
  body(members: Record<string, unknown>): string {
    return JSON.stringify({ token: this.token, fencing: this.attempt.fencing, ...members });
  }

  path(verb: string): string {
    return `/v1/runs/${this.attempt.runId}:${verb}`;
  }

  /** No more heartbeats and lines. */
  end(): void {
    this.ended = true;
    clearTimeout(this.beatTimer);
    clearTimeout(this.writeTimer);
  }

  /** Before the end of the attempt: afterwards the node takes no lines. Gives up after a while, loudly. */
  async flush(): Promise<void> {
    clearTimeout(this.writeTimer);
    const until = performance.now() + 5000;
    while (!this.lost) {
      try {
        return await this.write();
      } catch (error) {
        if (!again(error) || performance.now() > until)
          return this.o.log(`lines-dropped run=${this.attempt.runId}: ${(error as Error).message}`);
        await pause(200);
      }
    }
  }

  private beatLater(ms: number): void {
    if (this.ended || this.lost) return;
    this.beatTimer = setTimeout(() => void this.beat(), ms);
  }

  private async beat(): Promise<void> {
    const sent = performance.now();
    let next = this.o.heartbeatMs;
    try {
      const content = this.body({ lease: `${Math.round(this.o.leaseMs)}ms` });
      const answer = await this.transport.once("POST", this.path("heartbeat"), content, { timeoutMs: this.timeoutMs });
      this.leaseUntil = sent + this.o.leaseMs;
      this.obey(answer.body);
    } catch (error) {
      if (error instanceof Unreachable) {
        this.o.log(`heartbeat-failed run=${this.attempt.runId}: ${error.message}`);
        next = Math.min(next, 1000);
      } else if (error instanceof Refused && error.worthARetry) {
        next = Math.min(next, 1000 * Math.max(1, error.retryAfter ?? 1));
      } else if (error instanceof Refused && (error.status === 404 || error.status === 409)) {
        this.lose(error);
      } else {
        this.o.log(`heartbeat-refused run=${this.attempt.runId}: ${(error as Error).message}`);
      }
    }
    if (!this.ended && !this.lost && performance.now() > this.leaseUntil) this.attempt.cancel("lease_expired");
    this.beatLater(Math.max(0, next - (performance.now() - sent)));
  }

  private lose(error: Refused): void {
    this.lost = true;
    if (this.ended) return; // its end was recorded just before this
    this.o.log(`lease-lost run=${this.attempt.runId} attempt=${this.attempt.number}: ${error.message}`);
    this.attempt.cancel("lease_lost");
  }

  private obey(answer: unknown): void {
    const commands = (answer as LeaseStatus | null)?.commands ?? [];
    if (commands.includes("cancel")) this.attempt.cancel("cancel");
    if (commands.includes("drain")) this.o.drain();
  }

  private writeLater(ms: number): void {
    if (this.ended || this.writeTimer !== undefined) return;
    this.writeTimer = setTimeout(() => {
      this.writeTimer = undefined;
      this.write().catch((error) => {
        this.o.log(`lines-wait run=${this.attempt.runId}: ${(error as Error).message}`);
        if (again(error)) this.writeLater(500);
      });
    }, ms);
  }

  /** One after the other. */
  private write(): Promise<void> {
    const next = this.writing.catch(() => undefined).then(() => this.writeNow());
    this.writing = next;
    return next;
  }

  private async writeNow(): Promise<void> {
    const attempt = this.attempt;
    const news = attempt.news;
    attempt.news = null;
    if (news !== null && !this.lost) await this.say("progress", news);
    while (!this.lost) {
      if (this.sending.length === 0) this.sending = attempt.lines.splice(0, portion(attempt.lines));
      if (this.sending.length === 0) return;
      // Numbered, so that sending them again does no harm.
      await this.say("log", { lines: this.sending, first: this.first });
      this.first += this.sending.length;
      this.sending = [];
    }
  }

  private async say(verb: string, members: Record<string, unknown>): Promise<void> {
    try {
      this.obey((await this.transport.once("POST", this.path(verb), this.body(members), { timeoutMs: this.timeoutMs })).body);
    } catch (error) {
      if (!(error instanceof StaleLease)) throw error;
      this.lose(error);
    }
  }
}

function again(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Refused && error.worthARetry);
}

function portion(lines: LogLine[]): number {
  let bytes = 0;
  for (let count = 0; count < Math.min(lines.length, LINES_AT_ONCE); ++count) {
    bytes += lines[count]!.text.length * 3 + 50;
    if (bytes > BYTES_AT_ONCE && count > 0) return count;
  }
  return Math.min(lines.length, LINES_AT_ONCE);
}
