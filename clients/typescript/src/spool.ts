// Submissions that could not reach the node, kept on disk until they can.
//
// One file per submission, named by a number that only grows; written under another name, synced and renamed, so that a
// crash leaves a whole entry or none. The request is kept as the text that was sent, with its Idempotency-Key: sent
// again, it is the same submission for the node. The node remembers a key for 24 h, so an entry that it may have seen
// longer ago than `resendWithinMs` is set aside instead: it could become a second run.
import * as fs from "node:fs";
import process from "node:process";

import { Refused, SpoolBusy, SpoolFull } from "./errors.js";
import type { Transport } from "./transport.js";

export interface SpoolOptions {
  /** Belongs to one client of one process at a time. Made when it is not there. */
  directory: string;
  /** Most entries, those set aside included. Default 10,000. */
  maxEntries?: number;
  /** Most bytes of all entries. Default 64 MiB. */
  maxBytes?: number;
  /** How long after it was first sent an entry may be sent again. Default 23 h: the node forgets keys after 24 h. */
  resendWithinMs?: number;
}

export interface Entry {
  key: string;
  path: string;
  body: string;
  spooled_at_ms: number;
  sent_at_ms: number | null;
  problem?: Record<string, unknown>;
}

const ONCE = { giveUpAfterMs: 0 };

export class Spool {
  private readonly root: string;
  private readonly aside: string;
  private readonly maxEntries: number;
  private readonly maxBytes: number;
  private readonly resendWithinMs: number;
  private readonly waiting = new Map<string, number>(); // in order
  private readonly refusedSizes = new Map<string, number>();
  private next = 1;

  constructor(options: SpoolOptions) {
    this.root = options.directory;
    this.aside = `${options.directory}/refused`;
    this.maxEntries = options.maxEntries ?? 10_000;
    this.maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
    this.resendWithinMs = options.resendWithinMs ?? 23 * 3600 * 1000;
    fs.mkdirSync(this.aside, { recursive: true, mode: 0o700 });
    lock(this.root);
    for (const [folder, sizes] of [[this.root, this.waiting], [this.aside, this.refusedSizes]] as const) {
      for (const name of fs.readdirSync(folder).sort()) {
        if (/^\d{16}\.part$/.test(name)) fs.unlinkSync(`${folder}/${name}`);
        if (!/^\d{16}\.json$/.test(name)) continue;
        sizes.set(name, fs.statSync(`${folder}/${name}`).size);
        this.next = Math.max(this.next, Number(name.slice(0, 16)) + 1);
      }
    }
  }

  close(): void {
    fs.unlinkSync(`${this.root}/owner`);
  }

  get pending(): number {
    return this.waiting.size;
  }

  /** Entries that were set aside, each with its `problem`. Delete their files in refused/ to make room. */
  refused(): Entry[] {
    const names = fs.readdirSync(this.aside).filter((name) => name.endsWith(".json")).sort();
    return names.map((name) => read(`${this.aside}/${name}`));
  }

  /** Durable when it returns; SpoolFull when there is no room. */
  append(path: string, body: string, key: string, maybeSent: boolean): void {
    const now = Date.now();
    const entry: Entry = { key, path, body, spooled_at_ms: now, sent_at_ms: maybeSent ? now : null };
    const text = JSON.stringify(entry);
    const size = new TextEncoder().encode(text).length;
    for (const name of [...this.refusedSizes.keys()])
      if (!fs.existsSync(`${this.aside}/${name}`)) this.refusedSizes.delete(name); // somebody made room
    const count = this.waiting.size + this.refusedSizes.size;
    const bytes = sum(this.waiting) + sum(this.refusedSizes);
    if (count + 1 > this.maxEntries || bytes + size > this.maxBytes)
      throw new SpoolFull(`the spool ${this.root} is full (${count} of ${this.maxEntries} entries, ${bytes} of ` +
        `${this.maxBytes} bytes) and the node cannot be reached: nothing was submitted`);
    const name = `${String(this.next).padStart(16, "0")}.json`;
    writeDurably(this.root, name, text);
    this.next += 1;
    this.waiting.set(name, size);
  }

  /** Sends what waits, in order, until it is empty; throws what stopped it. */
  async deliver(transport: Transport): Promise<void> {
    const names = [...this.waiting.keys()];
    // Asked first, so that a node that is away does not count as one that may have seen the entry.
    if (names.length > 0) await transport.ask("GET", "/v1/health", undefined, { retry: ONCE });
    for (const name of names) await this.deliverOne(transport, name);
  }

  private async deliverOne(transport: Transport, name: string): Promise<void> {
    const path = `${this.root}/${name}`;
    const entry = read(path);
    if (entry.sent_at_ms === null) {
      entry.sent_at_ms = Date.now();
      writeDurably(this.root, name, JSON.stringify(entry));
    } else if (Date.now() - entry.sent_at_ms > this.resendWithinMs) {
      return this.setAside(name, entry, {
        code: "spooled_too_long",
        detail: "the node may have taken it when it was first sent and has since forgotten its key: look for the run " +
          "before you submit it again",
      });
    }
    try {
      await transport.ask("POST", entry.path, entry.body, { key: entry.key, retry: ONCE });
    } catch (error) {
      if (error instanceof Refused && !error.worthARetry) return this.setAside(name, entry, error.problem);
      throw error;
    }
    fs.unlinkSync(path);
    this.waiting.delete(name);
  }

  private setAside(name: string, entry: Entry, problem: Record<string, unknown>): void {
    const text = JSON.stringify({ ...entry, problem });
    writeDurably(this.aside, name, text);
    fs.unlinkSync(`${this.root}/${name}`);
    this.waiting.delete(name);
    this.refusedSizes.set(name, new TextEncoder().encode(text).length);
  }
}

function sum(sizes: Map<string, number>): number {
  let total = 0;
  for (const size of sizes.values()) total += size;
  return total;
}

function read(path: string): Entry {
  return JSON.parse(fs.readFileSync(path, "utf8")) as Entry;
}

function writeDurably(folder: string, name: string, text: string): void {
  const part = `${folder}/${name.replace(/\.json$/, ".part")}`;
  const out = fs.openSync(part, "w", 0o600);
  try {
    fs.writeFileSync(out, text);
    fs.fsyncSync(out);
  } finally {
    fs.closeSync(out);
  }
  fs.renameSync(part, `${folder}/${name}`);
  const directory = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(directory);
  } finally {
    fs.closeSync(directory);
  }
}

// Node has no flock. The file `owner` names its holder by process id and start time, so that one left behind by a
// process that was killed is recognised, also when its number has been given to somebody else.
function lock(root: string): void {
  const own = `${root}/owner.${process.pid}`;
  const file = `${root}/owner`;
  const me = `${process.pid} ${startOf(process.pid)}`;
  fs.writeFileSync(own, me, { mode: 0o600 });
  try {
    for (let tries = 0; tries < 10; ++tries) {
      try {
        fs.linkSync(own, file); // fails when it is there
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== "EEXIST") throw error;
      }
      const holder = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
      const [pid, start] = holder.split(" ");
      if (holder !== "" && startOf(Number(pid)) === start) break;
      const left = `${file}.${process.pid}.left`;
      if (holder === "") continue;
      try {
        fs.renameSync(file, left);
      } catch {
        continue; // somebody else was quicker
      }
      // What was moved away may already be that of a new holder: put it back.
      if (fs.readFileSync(left, "utf8") !== holder) fs.linkSync(left, file);
      fs.unlinkSync(left);
    }
    throw new SpoolBusy(`another process has the spool ${root}; give each process its own`);
  } finally {
    fs.unlinkSync(own);
  }
}

function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "none";
  }
}
