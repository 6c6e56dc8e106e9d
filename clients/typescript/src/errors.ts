// What can go wrong between a client and its node.

/** The base of everything that this package throws on its own. */
export class BelfryError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No answer: refused, cut or timed out. */
export class Unreachable extends BelfryError {
  /** `maybeSent`: the node may have seen the request; false only when no connection came about. */
  constructor(message: string, readonly maybeSent: boolean, options?: ErrorOptions) {
    super(message, options);
  }
}

export interface FieldError {
  pointer?: string;
  value?: string;
  allowed?: string;
  detail?: string;
}

/** The node answered with a problem document (RFC 9457). */
export class Refused extends BelfryError {
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** Every field at fault. */
  readonly errors: FieldError[];
  /** A command of the CLI that helps, or "". */
  readonly command: string;

  /** `retryAfter`: seconds, from the header Retry-After. */
  constructor(readonly status: number, readonly problem: Record<string, unknown>, readonly retryAfter?: number) {
    super(describe(status, problem));
    this.code = text(problem, "code");
    this.title = text(problem, "title");
    this.detail = text(problem, "detail");
    this.command = text(problem, "command");
    this.errors = fieldErrors(problem);
  }

  /** The same request may succeed later: the node is overloaded, stopping, or still at the first one. */
  get worthARetry(): boolean {
    return [429, 502, 503, 504].includes(this.status) || this.code === "idempotency_in_progress";
  }
}

/** The lease ran out or the run was claimed again: what this worker says about it no longer counts. */
export class StaleLease extends Refused {}

/** The node cannot be reached and the spool has no room: the submission was NOT accepted. */
export class SpoolFull extends BelfryError {}

/** Another process, or another client of this one, has this spool directory. */
export class SpoolBusy extends BelfryError {}

function text(problem: Record<string, unknown>, name: string): string {
  const value = problem[name];
  return typeof value === "string" ? value : "";
}

function fieldErrors(problem: Record<string, unknown>): FieldError[] {
  return Array.isArray(problem["errors"]) ? (problem["errors"] as FieldError[]) : [];
}

function describe(status: number, problem: Record<string, unknown>): string {
  let said = `${text(problem, "code") || status}: ${text(problem, "detail") || text(problem, "title")}`;
  for (const e of fieldErrors(problem)) {
    said += `\n  ${e.pointer}: ${e.detail}`;
    if (e.value) said += ` (given: ${e.value})`;
    if (e.allowed) said += `; allowed: ${e.allowed}`;
  }
  return said;
}
