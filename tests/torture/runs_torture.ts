/**
 * Runs in two processes with one Redis, which is killed again and again: readers move from one process to the other at random,
 * and each gets every event once and in order, and the end.
 *
 *     deno run --allow-all tests/torture/runs_torture.ts [KILLS] [RUNS]
 */
import { pair } from "../support/pair.ts";
import { RedisServer } from "../support/redis.ts";

const [kills = 5, runs = 10] = Deno.args.map(Number);
const readersEach = 3;
const steps = 400 * kills;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const totals = { reconnects: 0, unavailable: 0 };

await using redis = await RedisServer.start();
await using processes = await pair(["--redis", redis.url]);

/** Follows a run to its end. */
async function follow(name: string): Promise<void> {
  let after = "";
  let last = 0;
  let done = false;
  while (!done) {
    const { origin } = processes.both[Math.floor(Math.random() * 2)];
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 100 + Math.random() * 700);
    const query = `task=a:${steps}:8&run=${name}&format=ndjson${after}`;
    try {
      const response = await fetch(`${origin}/concurrent_stream?${query}`, { signal: stop.signal });
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      stop.signal.addEventListener("abort", () => void reader.cancel().catch(() => {}));
      let rest = "";
      for (let read; !(read = await reader.read()).done;) {
        // Redis is away.
        if (response.status === 503) totals.unavailable++;
        if (!response.ok) break;
        const lines = (rest + read.value).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          const { id, event, data } = JSON.parse(line);
          if (event === "end") {
            // Redis went away while it was asked.
            if (data.reason === "error") break;
            if (data.reason !== "complete" || last !== steps) {
              throw new Error(`${name} ended at ${last}: ${line}`);
            }
            done = true;
          } else if (event !== "ping") {
            if (data.step !== last + 1) throw new Error(`${name} had ${line} after ${last}`);
            last = data.step;
            after = `&after=${id}`;
          }
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError) && (error as Error).name !== "AbortError") throw error;
    }
    clearTimeout(timer);
    stop.abort();
    totals.reconnects++;
    await pause(Math.random() * 100);
  }
}

const names = Array.from({ length: runs }, (_, n) => `r${n}`);
const following = Promise.all(
  names.flatMap((name) => Array.from({ length: readersEach }, () => follow(name))),
);
for (let n = 0; n < kills; n++) {
  await pause(1_500 + Math.random() * 1_500);
  await redis.kill();
  await pause(Math.random() * 1_500);
  await redis.start();
}
await following;
console.log(
  `${runs} runs of ${steps} events, ${runs * readersEach} readers, ${totals.reconnects} reconnects, ` +
    `${totals.unavailable} of them 503: all complete, none lost, none twice`,
);
