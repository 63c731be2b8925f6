import { assert, assertEquals, assertRejects } from "@std/assert";
import { valueOf } from "../../../../lib/channels/value.ts";
import type { ChannelStore } from "../../../../lib/channels/channel_store.ts";
import { RedisConnection, type RedisOptions } from "../../../../lib/channels/redis/connection.ts";
import { RedisStore } from "../../../../lib/channels/redis/redis_store.ts";
import { Limits } from "../../../../lib/limits.ts";
import { HttpError } from "../../../../lib/stream/errors.ts";
import { ndjson } from "../../../../lib/stream/formats/ndjson.ts";
import { channelStoreContract, Subscription } from "../../../support/channel_store_contract.ts";
import { RedisServer, withoutRedis } from "../../../support/redis.ts";
import { until } from "../../../support/server.ts";

const redis = withoutRedis ? null : await RedisServer.start();
if (redis !== null) globalThis.addEventListener("unload", () => redis[Symbol.dispose]());

channelStoreContract("RedisStore", {
  make: async (limits) => new RedisStore(await RedisConnection.open(redis!.url), new Limits(limits)),
  future: (cursor) => cursor.replace(/\d+$/, (number) => String(Number(number) + 1)),
  ignore: withoutRedis,
});

/** Stores on the Redis of all tests, and a channel of a name that nobody else uses. */
async function setUp(
  { limits, ttl, ...options }: RedisOptions & { limits?: Partial<Limits>; ttl?: number } = {},
  url = redis!.url,
) {
  const stop = new AbortController();
  const reports: string[] = [];
  const report = (message: string) => void reports.push(message);
  const open = async () =>
    new RedisStore(await RedisConnection.open(url, { report, ...options }), new Limits(limits), ttl);
  const [store, other] = [await open(), await open()];
  const channel = `test-${crypto.randomUUID()}`;
  return {
    store,
    other,
    channel,
    reports,
    stream: `weir:channel:${channel}`,
    post: (...values: unknown[]) => store.publish(channel, values.map((value) => valueOf(value))),
    read: (after?: string, from: ChannelStore = store) =>
      new Subscription(from.subscribe(channel, { after, format: ndjson, signal: stop.signal })),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([store.close(), other.close()]);
    },
  };
}
type SetUp = Awaited<ReturnType<typeof setUp>>;

function test(
  name: string,
  options: Parameters<typeof setUp>[0],
  run: (it: SetUp) => Promise<void>,
): void {
  Deno.test(name, { ignore: withoutRedis }, async () => {
    await using it = await setUp(options);
    await run(it);
  });
}

/** Reads of a part of a stream since `CONFIG RESETSTAT`. */
const reads = async () =>
  Number(/cmdstat_xrange:calls=(\d+)/.exec(await redis!.ask("INFO commandstats"))?.[1] ?? 0);

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test(
  "what one process publishes the subscribers of another get",
  {},
  async ({ post, read, other, store }) => {
    const readers = await Promise.all([store, other].map((from) => read(undefined, from).joined()));
    await post("a", "b");
    for (const reader of readers) assertEquals(await reader.values(2), ["a", "b"]);
  },
);

test("a cursor that one process has given another follows exactly", {}, async ({ post, read, other }) => {
  const stays = await read(undefined, other).joined();
  const id = await post("a");
  await post("b");
  assertEquals(await read(id, other).values(1), ["b"]);
  // At once, when the other process may not have read it yet.
  const last = await post("c");
  const reader = await read(last, other).joined();
  await post("d");
  assertEquals(await reader.values(1), ["d"]);
  await stays.leave();
});

test("a channel outlives the processes that have served it", {}, async ({ channel, post, read, store }) => {
  const id = await post("a");
  await post("b");
  await store.close();
  await using later = await setUp();
  assertEquals(await read(id, later.store).values(1), ["b"]);
  assertEquals((await later.store.list()).some(({ name }) => name === channel), true);
});

test("posts that go to Redis as one have ids of their own", {}, async ({ post, read }) => {
  const ids = await Promise.all(numbers(0, 5).map((n) => post(n, -n)));
  assertEquals(new Set(ids).size, 5);
  for (const [n, id] of ids.entries()) {
    assertEquals(await read(id).values(8 - 2 * n), numbers(n + 1, 5).flatMap((n) => [n, -n]));
  }
});

test("what is trimmed before a process has read it is a gap that counts", {
  limits: { channelEvents: 3 },
}, async ({ post, read }) => {
  await post(0);
  const reader = await read().joined();
  const next = reader.next();
  await Promise.all(numbers(1, 11).map((n) => post(n)));
  const { event, data } = await next;
  assertEquals([event, (data as { lost: number }).lost], ["gap", 7]);
  assertEquals(await reader.values(3), [8, 9, 10]);
});

test("keys are remembered beyond the first five minutes, and then forgotten", {}, async (it) => {
  const { store, channel, stream } = it;
  const publish = (key: string) => store.publish(channel, [valueOf(key)], key);
  const first = await publish("a");
  for (const key of ["b", "c"]) {
    // Of ten minutes five are over.
    await redis!.ask(`EXPIRE ${stream}:keys 299`);
    await publish(key);
    assertEquals(await publish("a") === first, key === "b");
  }
});

test("a history of many events is trimmed, and the gap counts exactly", {
  limits: { channelEvents: 1_000 },
}, async ({ post, read }) => {
  const first = await post(0);
  for (let n = 1; n < 3_001; n += 100) await post(...numbers(n, n + 100));
  const reader = read(first);
  const { lost } = await reader.gap();
  assertEquals(await reader.values(3_000 - lost!), numbers(lost! + 1, 3_001));
  assert(3_000 - lost! >= 1_000 && 3_000 - lost! < 1_200);
});

test("a reader that is behind the window reads on from Redis", {
  limits: { channelEvents: 5_000, channelBytes: 10_000 },
}, async ({ post, read }) => {
  const reader = await read().joined();
  for (let n = 0; n < 4_000; n += 100) await post(...numbers(n, n + 100));
  assertEquals(await reader.values(4_000), numbers(0, 4_000));
});

for (const command of ["FLUSHALL", "DEL"]) {
  test(`after ${command} readers get a gap, and what is published then`, {}, async (it) => {
    const { post, read, other, stream } = it;
    await post(0);
    const readers = await Promise.all([read().joined(), read("0").joined(), read(undefined, other).joined()]);
    await post(1);
    assertEquals(await readers[1].values(2), [0, 1]);
    for (const reader of [readers[0], readers[2]]) await reader.values(1);
    const gaps = readers.map((reader) => reader.gap());
    await redis!.ask(command === "DEL" ? `DEL ${stream}` : command);
    const id = await post(2);
    for (const { next, lost } of await Promise.all(gaps)) assertEquals([next, lost], [id, null]);
    for (const reader of readers) assertEquals(await reader.values(1), [2]);
  });
}

test("a cursor from before a DEL gets a gap at once", {}, async ({ post, read, stream }) => {
  const after = await post(1);
  await redis!.ask(`DEL ${stream}`);
  assertEquals(await read(after).gap(), { after, next: null, lost: null });
});

test("events that were deleted by hand are a gap that counts", {}, async ({ post, read, stream }) => {
  const after = await post(0);
  const [, epoch] = after.split("-");
  const reader = read(after);
  await post(1, 2, 3, 4);
  await redis!.ask(`XDEL ${stream} ${epoch}-3 ${epoch}-4`);
  assertEquals(await reader.values(1), [1]);
  assertEquals((await reader.gap()).lost, 2);
  assertEquals(await reader.values(1), [4]);
});

test("numbers are never used twice, also when the clock went back", {}, async ({ post, read, stream }) => {
  await post(1);
  // As it would be with a clock that was an hour ahead, and a run of Redis before this one.
  await redis!.ask(`XADD ${stream} ${Date.now() + 3_600_000}000-7 d 2`);
  await redis!.ask(`HSET ${stream}:run run before`);
  const id = await post(3);
  const reader = read("0");
  assertEquals(await reader.values(1), [1]);
  assertEquals([(await reader.gap()).lost, await reader.values(1)], [null, [2]]);
  assertEquals([(await reader.gap()).next, await reader.values(1)], [id, [3]]);
});

test("subscribers that come back to the same place share what is read", {}, async ({ post, read }) => {
  const after = await post(0);
  await post(...numbers(1, 1_000));
  await redis!.ask("CONFIG RESETSTAT");
  const all = await Promise.all(numbers(0, 100).map(() => read(after).values(999)));
  assertEquals(all[99].at(-1), 999);
  // The check of each window's end is one as well.
  assert(await reads() < 30);
});

test("events that may be large are read a few at a time", {}, async ({ post, read, store, channel }) => {
  const after = await post(0);
  const large = "x".repeat(700_000);
  for (let n = 0; n < 3; n++) await post(...Array(5).fill(large));
  for (let n = 1; n < 100; n++) await store.publish(channel, [valueOf(n)]);
  const reader = read(after);
  for (let n = 0; n < 15; n++) assertEquals((await reader.next()).data, large);
  await redis!.ask("CONFIG RESETSTAT");
  assertEquals(await reader.values(99), numbers(1, 100));
  // At most 16 at once, whose replies have at most 16 MiB.
  assert(await reads() >= 5);
});

test(
  "a channel lives for its time after its last event",
  { ttl: 1 },
  async ({ channel, post, read, store }) => {
    const after = await post(1);
    await until(async () => !(await store.list()).some(({ name }) => name === channel));
    assertEquals((await read(after).gap()).lost, null);
  },
);

test("a channel that is published to lives on", { ttl: 100 }, async ({ post, stream }) => {
  const seconds = async (key: string) => Number(/:(-?\d+)/.exec(await redis!.ask(`TTL ${key}`))?.[1]);
  await post(1);
  await redis!.ask(`EXPIRE ${stream} 99`);
  await post(2);
  assert(await seconds(stream) > 99 && await seconds(`${stream}:run`) > 99);
});

test("a channel with only a subscriber does not live long after it", {}, async ({ read, stream }) => {
  await read().joined();
  const ttl = Number(/:(-?\d+)/.exec(await redis!.ask(`TTL ${stream}`))?.[1]);
  assert(ttl > 0 && ttl <= 300);
});

test("over the limit of channels one more is 503", { limits: { channels: 1 } }, async ({ store, read }) => {
  const reader = await read().joined();
  const { signal } = new AbortController();
  const more = () => new Subscription(store.subscribe("one-more", { format: ndjson, signal }));
  assertEquals((await assertRejects(() => more().joined(), HttpError)).status, 503);
  await reader.leave();
  await (await more().joined()).leave();
});

test("all windows together are bounded", {
  limits: { channelEvents: 5_000, channelsBytes: 50_000 },
}, async ({ channel, store }) => {
  const { signal } = new AbortController();
  const read = () => new Subscription(store.subscribe(`${channel}-0`, { format: ndjson, signal })).joined();
  const [first, second] = await Promise.all([read(), read()]);
  await store.publish(`${channel}-0`, numbers(0, 1_000).map((n) => valueOf([n, "x".repeat(90)])));
  await first.values(1_000);
  await redis!.ask("CONFIG RESETSTAT");
  assertEquals((await second.values(1_000)).length, 1_000);
  // What it found no more in memory was still in Redis.
  assert(await reads() > 0);
  await first.leave();
  await second.leave();
});

Deno.test("all keys begin with weir:", { ignore: withoutRedis }, async () => {
  await using own = await RedisServer.start();
  await using it = await setUp({}, own.url);
  await it.read().joined();
  await it.store.publish(it.channel, [valueOf(1)], "key");
  const keys = (await own.ask("KEYS *")).split("\r\n").filter((line) => /^[^*$]/.test(line));
  assert(keys.length >= 6);
  assertEquals(keys.filter((key) => !key.startsWith("weir:")), []);
});
