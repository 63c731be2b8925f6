/**
 * Two stores on one Redis, a publisher with Idempotency-Keys and readers that leave and come back by their cursors to either of
 * them, while Redis is killed, stopped, trimmed by hand, its keys, scripts and connections are taken away. What is published
 * counts up, so each reader can tell whether it has everything once and in order, and whether each gap counts right.
 *
 *     deno run --allow-all --no-lock tests/torture/redis_store_torture.ts [SECONDS] [HISTORY] [HARM,HARM,…]
 */
import { RedisConnection } from "../../lib/channels/redis/connection.ts";
import { RedisStore } from "../../lib/channels/redis/redis_store.ts";
import { valueOf } from "../../lib/channels/value.ts";
import { Limits } from "../../lib/limits.ts";
import type { Gap } from "../../lib/stream/event.ts";
import { ndjson } from "../../lib/stream/formats/ndjson.ts";
import { Subscription } from "../support/channel_store_contract.ts";
import { RedisServer } from "../support/redis.ts";

const [seconds = 60, history = 100] = Deno.args.slice(0, 2).map(Number);
const readers = 12;
/** Time for a reader to get the last event once nothing is harmed any more, in ms. */
const patienceMs = 30_000;

const pick = <T>(values: readonly T[]) => values[Math.floor(Math.random() * values.length)];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

// Without it a Redis that is killed while the disk is busy loses what it has acknowledged.
await using redis = await RedisServer.start("--appendfsync", "always");
const options = { silenceMs: 400, readSilenceMs: 2_500, connectMs: 500, report: () => {} };
// Small windows, so that readers are behind them now and then.
const limits = new Limits({ channelEvents: history, channelBytes: Math.max(2_000, history) });
const stores = [
  new RedisStore(await RedisConnection.open(redis.url, options), limits),
  new RedisStore(await RedisConnection.open(redis.url, options), limits),
];

const totals = { published: 0, refused: 0, received: 0, exactGaps: 0, otherGaps: 0, returns: 0, harms: 0 };
let over = false;

function fail(what: string): never {
  console.error(`FAILED: ${what}`);
  Deno.exit(1);
}

const harms: Record<string, () => Promise<unknown>> = {
  delete: () => redis.ask("DEL weir:channel:x"),
  forget: () => redis.ask("DEL weir:channel:x:run"),
  trim: () => redis.ask("XTRIM weir:channel:x MAXLEN 5"),
  scripts: () => redis.ask("SCRIPT FLUSH"),
  cut: () => redis.ask("CLIENT KILL TYPE normal SKIPME yes"),
  async kill() {
    await redis.kill();
    await pause(Math.random() * 300);
    await redis.start();
  },
  async stop() {
    await redis.kill("SIGSTOP");
    await pause(Math.random() * 1_200);
    await redis.kill("SIGCONT");
  },
};
const wanted = Deno.args[2]?.split(",") ?? Object.keys(harms);

async function harm(): Promise<void> {
  while (!over) {
    await pause(Math.random() * 800);
    await harms[pick(wanted)]().catch(() => {});
    totals.harms++;
  }
}

/** Publishes the next numbers as one post, until it is taken. */
async function publish(count: number): Promise<void> {
  const first = totals.published + 1;
  const values = Array.from({ length: count }, (_, i) => valueOf(first + i));
  while (!await pick(stores).publish("x", values, `key-${first}`).then(() => true, () => false)) {
    totals.refused++;
    await pause(20);
  }
  totals.published += count;
}

async function publishAll(): Promise<void> {
  while (!over) {
    await publish(pick([1, 1, 2, 5, 20]));
    if (Math.random() < 0.3) await pause(Math.random() * 10);
  }
}

/** What a reader knows at a cursor: the number that it has had last, and whether what comes next has to be the one after it. */
interface Known {
  cursor: string;
  at: number;
  isExact: boolean;
}

/** Reads up to some events, or to the last one of all; what it knows then. */
async function read(known: Known, reader: number): Promise<Known> {
  const stop = new AbortController();
  const wanted = { after: known.cursor, format: ndjson, signal: stop.signal };
  const subscription = new Subscription(pick(stores).subscribe("x", wanted));
  let { at, isExact } = known;
  for (let rest = Math.random() * 200; rest > 0 || over; rest--) {
    if (over && at >= totals.published) break;
    const stuck = () => over && fail(`reader ${reader} waits at ${at} of ${totals.published}`);
    const timer = setTimeout(stuck, seconds * 1_000 + patienceMs);
    const { id, event, data } = await subscription.next();
    clearTimeout(timer);
    if (event === "gap") {
      const { lost } = data as Gap;
      if (lost === 0) fail("a gap of nothing");
      totals[lost === null ? "otherGaps" : "exactGaps"]++;
      isExact &&= lost !== null;
      at += lost ?? 0;
    } else {
      const number = data as number;
      if (isExact ? number !== at + 1 : number <= at) fail(`reader ${reader} got ${number} after ${at}`);
      totals.received++;
      [at, isExact] = [number, true];
      if (Math.random() < 0.01) await pause(Math.random() * 100);
    }
    // A gap that an event follows has no id, and comes again to who leaves in between.
    if (id !== undefined) known = { cursor: id, at, isExact };
  }
  stop.abort();
  await subscription.leave();
  return known;
}

async function readAll(_: unknown, reader: number): Promise<void> {
  let known: Known = { cursor: "0", at: 0, isExact: false };
  while (!over || known.at < totals.published) {
    known = await read(known, reader);
    totals.returns++;
  }
}

const reading = Array.from({ length: readers }, readAll);
const rest = [publishAll(), harm()];
await pause(seconds * 1_000);
over = true;
await Promise.all(rest);
// For those who wait.
await publish(1);
await Promise.all(reading);
for (const store of stores) await store.close();
console.log(JSON.stringify(totals));
console.log("each reader got everything once and in order, or a gap that counts right");
