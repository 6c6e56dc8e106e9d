// Counts words: a worker for runs such as {"name": "word-count", "payload": {"text": "one two three"}}.
import process from "node:process";

import { Attempt, Client, Worker } from "../src/index.js"; // from "belfry" once the package is installed

async function countWords(attempt: Attempt): Promise<{ words: number }> {
  const { text } = attempt.payload as { text: string };
  attempt.log(`counting ${text.length} characters`);
  const words = text.split(/\s+/).filter((word) => word !== "");
  let count = 0;
  for (const _ of words) {
    attempt.throwIfCancelled(); // cancel, lost lease, stop of this worker: give up soon
    count += 1;
    attempt.progress(count / words.length);
  }
  return { words: count };
}

const client = new Client({ url: process.argv[2] ?? "http://127.0.0.1:7420" });
const worker = new Worker(client, countWords, { agentType: "word-counter", slots: 4 });
await worker.run({ stopOn: ["SIGTERM", "SIGINT"] });
await client.close();
