// belfry for TypeScript: submit runs to a node, and take them as a worker. Needs Node 18 or newer and nothing else.
export * as api from "./api.js";
export { Attempt, Cancelled, Failed, Parked, Released } from "./attempt.js";
export type { CancelReason, Claim, FailureOptions, LogLevel, Previous } from "./attempt.js";
export { Client } from "./client.js";
export type { ClientOptions, Submission, Whole } from "./client.js";
export { BelfryError, Refused, SpoolBusy, SpoolFull, StaleLease, Unreachable } from "./errors.js";
export type { FieldError } from "./errors.js";
export type { Entry, SpoolOptions } from "./spool.js";
export type { RetryOptions } from "./transport.js";
export { Worker } from "./worker.js";
export type { Handler, Report, WorkerOptions } from "./worker.js";
