// One try of a run, as its handler sees it.
import type { ClaimedRun } from "./api.js";
import type { Whole } from "./client.js";
import { BelfryError } from "./errors.js";

/** Throw it in a handler that was told to stop and did: the run is handed back, or ends cancelled if that was asked. */
export class Cancelled extends BelfryError {}

export interface FailureOptions {
  /** error (default), permanent, timeout, resource, rate_limited */
  class?: "error" | "permanent" | "timeout" | "resource" | "rate_limited";
  retryAfterMs?: number;
  result?: unknown;
}

/** The attempt failed. Any other error means the same with class `error`. */
export class Failed extends BelfryError {
  constructor(message: string, readonly how: FailureOptions = {}) {
    super(message);
  }
}

/** Hand the run back without using up an attempt, optionally not before `delayMs`. */
export class Released extends BelfryError {
  constructor(message = "", readonly delayMs?: number) {
    super(message);
  }
}

/** Put the run aside for `forMs`, because something named is not available. Uses up no attempt. */
export class Parked extends BelfryError {
  constructor(readonly forMs: number, message = "", readonly resource?: string) {
    super(message);
  }
}

/**
 * `cancel`: somebody asked for it. `lease_lost`: the node gave the run away. `lease_expired`: the node could not be
 * reached for the length of the lease, so somebody else may have the run. `stop`: this worker is stopping.
 */
export type CancelReason = "cancel" | "lease_lost" | "lease_expired" | "stop";

export interface Previous {
  attempt: number;
  outcome: string;
  class: string | null;
  message: string | null;
  ended_at: string;
}

/** `ClaimedRun` of the OpenAPI document, without the token: a handler may print what it got. */
export type Claim = Whole<Omit<ClaimedRun, "token" | "checkpoint" | "previous">> & {
  checkpoint?: { attempt: number; at: string; value: unknown } | null;
  previous?: Previous[];
};

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogLine {
  text: string;
  stream: "stdout" | "stderr";
  level?: LogLevel;
}

// The oldest lines go first when the node cannot be reached for long.
const MOST_LINES = 10_000;

export class Attempt {
  /** Aborted as soon as the work should stop: hand it to fetch, to child processes, to timers. */
  readonly signal: AbortSignal;
  /** What an earlier attempt saved last, or null. */
  checkpoint: unknown;
  /** How earlier attempts ended, oldest first. */
  readonly previous: Previous[];
  /** Set when `signal` is aborted. */
  cancelReason: CancelReason | null = null;

  /** @internal */ readonly lines: LogLine[] = [];
  /** @internal */ news: { value?: number; text?: string } | null = null;
  /** @internal */ changed: () => void = () => undefined;
  private readonly abort = new AbortController();

  constructor(readonly claim: Claim, private readonly save: (attempt: Attempt, value: unknown) => Promise<void>) {
    this.signal = this.abort.signal;
    this.checkpoint = claim.checkpoint?.value ?? null;
    this.previous = claim.previous ?? [];
  }

  get runId(): string {
    return this.claim.run_id;
  }
  get number(): number {
    return this.claim.attempt;
  }
  /** Grows with each claim of the run; outside systems can refuse what carries a smaller one. */
  get fencing(): number {
    return this.claim.fencing;
  }
  get payload(): unknown {
    return this.claim.payload;
  }

  throwIfCancelled(): void {
    if (this.cancelReason !== null) throw new Cancelled(`stopped: ${this.cancelReason}`);
  }

  /** 0 to 1, and in plain words. The newest is sent. */
  progress(value?: number, text?: string): void {
    this.news ??= {};
    if (value !== undefined) this.news.value = Math.min(1, Math.max(0, value));
    if (text !== undefined) this.news.text = plain(text, 1000);
    this.changed();
  }

  /** One or more lines of the run's log; `level` says how serious they are. */
  log(text: string, stream: "stdout" | "stderr" = "stdout", level?: LogLevel): void {
    const said = level === undefined ? { stream } : { stream, level };
    for (const line of text.replace(/\n$/, "").split(/\r?\n/))
      for (const piece of pieces(line)) this.lines.push({ text: piece, ...said });
    if (this.lines.length > MOST_LINES) this.lines.splice(0, this.lines.length - MOST_LINES);
    this.changed();
  }

  /**
   * Stores JSON of at most 64 KiB for the next attempt. On the node's disk when it resolves; Cancelled when the work is
   * to stop before that.
   */
  async saveCheckpoint(value: unknown): Promise<void> {
    this.throwIfCancelled();
    await this.save(this, value);
    this.checkpoint = value;
  }

  /** @internal */
  cancel(reason: CancelReason): void {
    if (this.cancelReason !== null) return;
    this.cancelReason = reason;
    this.abort.abort(new Cancelled(`stopped: ${reason}`));
  }
}

/** Well-formed and of at most so many bytes: what a handler says must never keep its end from being reported. */
export function plain(text: string, mostBytes: number): string {
  const bytes = new TextEncoder().encode(text.slice(0, mostBytes)); // lone surrogates become U+FFFD
  return new TextDecoder().decode(bytes.subarray(0, cut(bytes, 0, mostBytes)));
}

// The node would cut longer lines by itself, and then number them otherwise than we do.
const LONGEST_LINE = 16 * 1024;

/** The line in parts that the node takes as one line each; at least one. */
function pieces(line: string): string[] {
  const bytes = new TextEncoder().encode(line);
  const found: string[] = [];
  let from = 0;
  do {
    const to = cut(bytes, from, LONGEST_LINE);
    found.push(new TextDecoder().decode(bytes.subarray(from, to)));
    from = to;
  } while (from < bytes.length);
  return found;
}

/** Where a part of at most so many bytes that begins at `from` ends: between two characters. */
function cut(bytes: Uint8Array, from: number, most: number): number {
  let end = Math.min(bytes.length, from + most);
  while (end < bytes.length && end > from && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return end;
}
