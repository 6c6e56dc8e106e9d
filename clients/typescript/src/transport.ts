// One HTTP exchange after another. Knows JSON and problem documents, not belfry.
import { Refused, StaleLease, Unreachable } from "./errors.js";

/** How the same request is sent again: exponential backoff with jitter; Retry-After of the node is the least wait. */
export interface RetryOptions {
  /** Milliseconds before the second try; doubles with each further one. Default 200. */
  baseMs: number;
  /** Longest wait in milliseconds. Default 10,000. */
  capMs: number;
  /** After so many milliseconds the last error is thrown. Default 30,000; 0 tries once. */
  giveUpAfterMs: number;
}

export interface Answer {
  status: number;
  replayed: boolean;
  body: unknown;
}

export interface AskOptions {
  /** Idempotency-Key */
  key?: string;
  retry?: Partial<RetryOptions>;
  timeoutMs?: number;
  /** Ends the request, and the pauses between tries. */
  signal?: AbortSignal;
  /** After each try that failed. */
  failed?: (error: Unreachable | Refused) => void;
}

// Errors that mean that no connection came about.
const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT"]);

/** Half fixed, half random, so that clients spread. */
export function pauseAfter(policy: RetryOptions, tries: number, atLeastSeconds?: number): number {
  const backoff = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(tries - 1, 30));
  const wait = backoff * (0.5 + Math.random() / 2);
  return atLeastSeconds ? Math.max(wait, atLeastSeconds * 1000 * (1 + Math.random() / 10)) : wait;
}

/** False when `signal` ended it. */
export function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((done) => {
    if (signal?.aborted) return done(false);
    const stop = () => {
      clearTimeout(timer);
      done(false);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      done(true);
    }, Math.min(ms, 2 ** 31 - 1));
    signal?.addEventListener("abort", stop, { once: true });
  });
}

export class Transport {
  readonly retry: RetryOptions;
  /** Of a worker that the node has started; shown with everything that it says. */
  sessionToken: string | null = null;
  private readonly url: string;

  constructor(url: string, private readonly headers: Record<string, string>, private readonly timeoutMs: number,
              retry: Partial<RetryOptions>) {
    const parsed = new URL(url);
    if (!["http:", "https:"].includes(parsed.protocol) || parsed.pathname !== "/" || parsed.search)
      throw new RangeError(`the node's address is http://HOST:PORT or https://HOST:PORT, not ${url}`);
    this.url = parsed.origin;
    this.retry = { baseMs: 200, capMs: 10_000, giveUpAfterMs: 30_000, ...retry };
  }

  /** Sends until there is an answer that counts, or the policy gives up and the last error is thrown. */
  async ask(method: string, path: string, content?: string, options: AskOptions = {}): Promise<Answer> {
    const policy = { ...this.retry, ...options.retry };
    const started = performance.now();
    for (let tries = 1; ; ++tries) {
      let wait: number;
      let last: Unreachable | Refused;
      try {
        return await this.once(method, path, content, options);
      } catch (error) {
        if (error instanceof Unreachable) {
          wait = pauseAfter(policy, tries);
        } else if (error instanceof Refused && error.worthARetry) {
          wait = pauseAfter(policy, tries, error.retryAfter);
        } else {
          throw error;
        }
        last = error;
      }
      options.failed?.(last);
      if (performance.now() - started + wait > policy.giveUpAfterMs) throw last;
      if (!(await pause(wait, options.signal))) throw last;
    }
  }

  /** One try. */
  async once(method: string, path: string, content?: string, options: AskOptions = {}): Promise<Answer> {
    const headers: Record<string, string> = { Accept: "application/json", ...this.headers };
    if (this.sessionToken !== null) headers["Belfry-Session-Token"] = this.sessionToken;
    if (content !== undefined) headers["Content-Type"] = "application/json";
    if (options.key !== undefined) headers["Idempotency-Key"] = options.key;
    const abort = new AbortController();
    const stop = () => abort.abort();
    const timer = setTimeout(stop, options.timeoutMs ?? this.timeoutMs);
    options.signal?.addEventListener("abort", stop, { once: true });
    if (options.signal?.aborted) stop();
    let reply: Response;
    let raw: string;
    try {
      reply = await fetch(this.url + path, { method, headers, body: content ?? null, signal: abort.signal, redirect: "error" });
      raw = await reply.text();
    } catch (error) {
      const cause = (error as { cause?: { code?: string; message?: string } }).cause;
      const why = abort.signal.aborted ? "given up" : cause?.message || cause?.code || String(error);
      throw new Unreachable(`no answer from ${this.url}: ${why}`, !NEVER_SENT.has(cause?.code ?? ""), { cause: error });
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", stop);
    }
    return judge(reply, raw);
  }
}

function judge(reply: Response, raw: string): Answer {
  let body: unknown = null;
  try {
    body = raw === "" ? null : JSON.parse(raw);
  } catch {
    body = null;
  }
  if (reply.ok) return { status: reply.status, replayed: reply.headers.get("idempotency-replayed") === "true", body };
  // A proxy in between may answer with a page of its own.
  const problem = (typeof body === "object" && body !== null && !Array.isArray(body) ? body
    : { title: reply.statusText, detail: raw.slice(0, 200) }) as Record<string, unknown>;
  const wait = reply.headers.get("retry-after") ?? "";
  const Kind = problem["code"] === "stale_lease" ? StaleLease : Refused;
  throw /^\d{1,9}$/.test(wait) ? new Kind(reply.status, problem, Number(wait)) : new Kind(reply.status, problem);
}
