// BullMQ: `enqueue N CONNECTIONS` and `drain N CONNECTIONS` against the Redis at BELFRY_BENCH_PORT. One JSON line comes out.
// 64 jobs are under way at a time, spread over the connections. Modules come from BELFRY_BENCH_PEERS (see bench/README.md).
import { createRequire } from "node:module";
const { Queue, Worker } = createRequire(process.env.BELFRY_BENCH_PEERS + "/package.json")("bullmq");

const [what, count, links] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] ?? 1)];
const connection = { host: "127.0.0.1", port: Number(process.env.BELFRY_BENCH_PORT), maxRetriesPerRequest: null };
const name = `bench-${process.pid}`;
const payload = { text: "x".repeat(186) };
const atOnce = 64;

function report(seconds) {
  console.log(JSON.stringify({ name: what, connections: links, jobs: count, seconds, per_second: Math.round(count / seconds) }));
}

async function enqueue() {
  const queues = Array.from({ length: links }, () => new Queue(name, { connection }));
  await Promise.all(queues.map((q) => q.waitUntilReady()));
  let left = 0;
  const loop = async (queue) => {
    while (left-- > 0) await queue.add("bench", payload);
  };
  const add = async (jobs) => {
    left = jobs;
    await Promise.all(Array.from({ length: atOnce }, (_, i) => loop(queues[i % links])));
  };
  await add(Math.min(2000, count)); // lets the compiler warm up
  const began = performance.now();
  await add(count);
  report((performance.now() - began) / 1000);
  await Promise.all(queues.map((q) => q.close()));
}

async function drain() {
  const queue = new Queue(name, { connection });
  for (let i = 0; i < count; i += 1000) {
    await queue.addBulk(Array.from({ length: Math.min(1000, count - i) }, () => ({ name: "bench", data: payload })));
  }
  const workers = Array.from({ length: links }, () =>
    new Worker(name, async () => null, { connection, concurrency: Math.max(1, atOnce / links), autorun: false }));
  await Promise.all(workers.map((w) => w.waitUntilReady()));
  const began = performance.now();
  await new Promise((resolve) => {
    let ended = 0;
    for (const worker of workers) {
      worker.on("completed", () => { if (++ended === count) resolve(); });
      worker.on("error", (e) => { console.error(e); process.exit(1); });
      worker.run();
    }
  });
  report((performance.now() - began) / 1000);
  process.exit(0); // the waiting connections have nothing left to say
}

await { enqueue, drain }[what]();
