// graphile-worker: `enqueue N` (addJobs, 1,000 at a time, 4 calls under way) and `drain N DELAY` (local queue of 500, batched
// completion) against the PostgreSQL at BELFRY_BENCH_URL. One JSON line comes out. Modules come from BELFRY_BENCH_PEERS.
import { createRequire } from "node:module";
const require = createRequire(process.env.BELFRY_BENCH_PEERS + "/package.json");
const { makeWorkerUtils, run, Logger } = require("graphile-worker");
const { Pool } = require("pg");

const [what, count, delay] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] ?? 0)];
const pool = new Pool({ connectionString: process.env.BELFRY_BENCH_URL, max: 12 });
const logger = new Logger(() => (level, message) => { if (level === "error") console.error(message); });
const utils = await makeWorkerUtils({ pgPool: pool, logger });
await utils.migrate();
const payload = { text: "x".repeat(186) };

function report(jobs, seconds) {
  console.log(JSON.stringify({ name: what, jobs, seconds, per_second: Math.round(jobs / seconds) }));
}

async function add(jobs) {
  let left = Math.ceil(jobs / 1000);
  const loop = async () => {
    while (left-- > 0) {
      await utils.addJobs(Array.from({ length: 1000 }, () => ({ identifier: "bench", payload })));
    }
  };
  await Promise.all(Array.from({ length: 4 }, loop));
}

async function queued() {
  return Number((await pool.query("select count(*) from graphile_worker._private_jobs")).rows[0].count);
}

async function empty() {
  await pool.query("truncate graphile_worker._private_jobs");
}

if (what === "enqueue") {
  await empty();
  await add(4000);
  const began = performance.now();
  await add(count);
  report(count, (performance.now() - began) / 1000);
  await empty();
} else {
  await empty();
  await add(count);
  await pool.query("vacuum analyze graphile_worker._private_jobs");
  let done = 0;
  const began = performance.now();
  const runner = await run({
    pgPool: pool, logger, noHandleSignals: true,
    taskList: { bench: () => { done++; } },
    preset: { worker: { concurrentJobs: 24, localQueue: { size: 500 }, completeJobBatchDelay: delay, failJobBatchDelay: delay } },
  });
  while (done < count) await new Promise((r) => setTimeout(r, 5));
  while ((await queued()) > 0) await new Promise((r) => setTimeout(r, 5)); // the last completions
  report(count, (performance.now() - began) / 1000);
  await runner.stop();
}
await utils.release();
await pool.end();
