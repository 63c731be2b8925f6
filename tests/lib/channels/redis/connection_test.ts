import { assert, assertEquals, assertRejects } from "@std/assert";
import { RedisConnection, type RedisOptions } from "../../../../lib/channels/redis/connection.ts";
import { RedisStore } from "../../../../lib/channels/redis/redis_store.ts";
import { valueOf } from "../../../../lib/channels/value.ts";
import { Limits } from "../../../../lib/limits.ts";
import { HttpError } from "../../../../lib/stream/errors.ts";
import { ndjson } from "../../../../lib/stream/formats/ndjson.ts";
import { Subscription } from "../../../support/channel_store_contract.ts";
import { TcpProxy } from "../../../support/proxy.ts";
import { RedisServer, withoutRedis } from "../../../support/redis.ts";
import { until } from "../../../support/server.ts";

/** Short enough for a test. */
const impatient: RedisOptions = { silenceMs: 200, readSilenceMs: 2_300, connectMs: 400 };

/** A Redis of the test's own, and a store on it. */
async function setUp(
  { limits, port, ...options }: RedisOptions & { limits?: Partial<Limits>; port?: number } = {},
  given?: RedisServer,
) {
  // Without it Redis postpones its writes while the disk is busy, and one that is killed then loses some.
  const redis = given ?? await RedisServer.start("--appendfsync", "always");
  const stop = new AbortController();
  const reports: string[] = [];
  const report = (message: string) => void reports.push(message);
  const connection = await RedisConnection.open(`redis://127.0.0.1:${port ?? redis.port}`, {
    report,
    ...options,
  });
  const store = new RedisStore(connection, new Limits(limits));
  return {
    redis,
    connection,
    store,
    reports,
    post: (value: unknown, key?: string) => store.publish("x", [valueOf(value)], key),
    read: (after?: string) =>
      new Subscription(store.subscribe("x", { after, format: ndjson, signal: stop.signal })),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await store.close();
      if (given === undefined) await redis[Symbol.asyncDispose]();
    },
  };
}
type SetUp = Awaited<ReturnType<typeof setUp>>;

function test(name: string, run: (it: SetUp) => Promise<void>, options: Parameters<typeof setUp>[0] = {}) {
  Deno.test(name, { ignore: withoutRedis }, async () => {
    await using it = await setUp(options);
    await run(it);
  });
}

/** What a refused post says: its status, when to come again, and what was published. */
async function refusal(post: Promise<unknown>) {
  const { status, options: { headers, details } } = await assertRejects(() => post, HttpError);
  return { status, retryAfter: headers?.["Retry-After"], ...details };
}
const notPublished = { status: 503, retryAfter: "2", published: false };
const unknown = { ...notPublished, published: null };

/** Posts until it is taken, as a client with a key does. */
async function persist({ post }: SetUp, value: unknown): Promise<string> {
  for (;;) {
    try {
      return await post(value, `key-${value}`);
    } catch (error) {
      assert(error instanceof HttpError && error.status === 503);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

test("kill -9 of Redis under load loses nothing acknowledged, and readers go on in order", async (it) => {
  const reader = await it.read().joined();
  const followed = reader.follow(299);
  for (let n = 0; n < 300; n++) {
    if (n % 100 === 50) void it.redis.kill().then(() => it.redis.start());
    await persist(it, n);
  }
  // One for each start: nobody can say whether it has lost something.
  assertEquals(await followed, 3);
});

test("each start of Redis is a gap without a count to a reader of the history", async (it) => {
  const first = await it.post(1);
  await it.redis.kill();
  await it.redis.start();
  const next = await persist(it, 2);
  const reader = it.read("0");
  assertEquals(await reader.values(1), [1]);
  assertEquals(await reader.gap(), { after: first, next, lost: null });
  assertEquals(await reader.values(1), [2]);
});

test("a reader is told of a start of Redis when it is back, not only by the next event", async (it) => {
  const after = await it.post(1);
  const reader = it.read("0");
  assertEquals(await reader.values(1), [1]);
  const gap = reader.gap();
  await it.redis.kill();
  await it.redis.start();
  assertEquals(await gap, { after, next: null, lost: null });
  await persist(it, 2);
  assertEquals(await reader.values(1), [2]);
});

test("while Redis is gone a post is 503, and none of it was published", async (it) => {
  await it.redis.kill();
  await until(() => it.store.fault !== null);
  assertEquals(await refusal(it.post(1)), notPublished);
  assertEquals((await assertRejects(async () => await it.store.list(), HttpError)).status, 503);
});

test("a reader that comes while Redis is gone gets everything once it is back", async (it) => {
  const id = await it.post(1);
  await it.post(2);
  await it.redis.kill();
  await until(() => it.store.fault !== null);
  const readers = [it.read(id), it.read(id)];
  const values = readers[0].values(1);
  const leaves = readers[1].joined().catch(() => {});
  await readers[1].leave();
  await leaves;
  await it.redis.start();
  assertEquals(await values, [2]);
});

test("a reader whose channel Redis refuses gets 503", async (it) => {
  await it.redis.ask("SET weir:channel:x other");
  assertEquals((await assertRejects(() => it.read().joined(), HttpError)).status, 503);
});

test("a post that Redis does not answer is 503, and it is not known whether it was published", async (it) => {
  const reader = await it.read().joined();
  await it.post(1);
  assertEquals(await reader.values(1), [1]);
  await it.redis.kill("SIGSTOP");
  assertEquals(await refusal(it.post(2, "key")), unknown);
  assertEquals(await refusal(it.post(3)), notPublished);
  await it.redis.kill("SIGCONT");
  await it.connection.back(AbortSignal.timeout(10_000));
  // It had been: with its key it can be posted again.
  await it.post(2, "key");
  await it.post(4);
  assertEquals(await reader.values(2), [2, 4]);
}, impatient);

test("a quiet reader goes on after a time in which Redis did not answer", async (it) => {
  await using other = await setUp({}, it.redis);
  const reader = await it.read().joined();
  await it.redis.kill("SIGSTOP");
  await until(() => it.store.fault !== null);
  await it.redis.kill("SIGCONT");
  await other.connection.back(AbortSignal.timeout(10_000));
  await other.post("after");
  assertEquals(await reader.values(1), ["after"]);
}, impatient);

test("a reader that is behind waits for Redis to be back, and goes on", async (it) => {
  for (let n = 0; n < 1_000; n++) await it.store.publish("x", [valueOf(n)]);
  const reader = await it.read("0").joined();
  await it.redis.kill();
  await until(() => it.store.fault !== null);
  const values = reader.follow(999);
  await it.redis.start();
  await it.connection.back(AbortSignal.timeout(10_000));
  await values;
}, { limits: { channelBytes: 100 } });

test("that Redis is away, and back, is reported once", async (it) => {
  await it.redis.kill();
  await until(() => it.store.fault !== null);
  assert(it.store.fault!.startsWith("Redis is away: "));
  await it.redis.start();
  await it.connection.back(AbortSignal.timeout(10_000));
  assertEquals(it.store.fault, null);
  assertEquals(it.reports.length, 2);
  assert(it.reports[0].startsWith("Redis is away: "));
  assertEquals(it.reports[1], "Redis is back");
});

test("what Redis refuses is 503 and reported once, and it is healthy again once it takes something", async (it) => {
  await it.post(1);
  await it.redis.ask("CONFIG SET maxmemory 1");
  assertEquals(await refusal(it.post(2)), notPublished);
  assertEquals(await refusal(it.post(2)), notPublished);
  assert(it.store.fault?.includes("OOM"));
  assertEquals(it.reports.length, 1);
  await it.redis.ask("CONFIG SET maxmemory 0");
  await it.post(3);
  assertEquals(it.store.fault, null);
  assertEquals(await it.read("0").values(2), [1, 3]);
});

test("a Redis that has become a replica is away until it is none", async (it) => {
  const reader = await it.read().joined();
  await it.post(1);
  assertEquals(await reader.values(1), [1]);
  await it.redis.ask("REPLICAOF 127.0.0.1 1");
  assertEquals(await refusal(it.post(2)), notPublished);
  await until(() => it.store.fault !== null);
  await it.redis.ask("REPLICAOF NO ONE");
  await it.connection.back(AbortSignal.timeout(10_000));
  await it.post(3);
  assertEquals(await reader.values(1), [3]);
});

test("a Redis that is busy with a script is away until that ends", async (it) => {
  await it.post(1);
  await it.redis.ask("CONFIG SET busy-reply-threshold 20");
  const script = it.redis.ask('EVAL "while true do end" 0');
  await until(async () => (await it.redis.ask("PING")).startsWith("-BUSY"));
  assertEquals(await refusal(it.post(2)), notPublished);
  const values = it.read("0").values(2);
  await it.redis.ask("SCRIPT KILL");
  await script;
  await it.connection.back(AbortSignal.timeout(10_000));
  await it.post(3);
  assertEquals(await values, [1, 3]);
});

test("posts that wait for Redis are bounded by their bytes", async (it) => {
  const posts = [it.post("x".repeat(60)), it.post("x".repeat(60))];
  assertEquals(await refusal(posts[1]), notPublished);
  await posts[0];
  await it.post("x".repeat(60));
}, { limits: { publishBytes: 100 } });

test("a script that Redis has forgotten is loaded again", async (it) => {
  await it.post(1);
  await it.redis.ask("SCRIPT FLUSH");
  await it.post(2);
  assertEquals(await it.read("0").values(2), [1, 2]);
});

Deno.test("a network that has gone silent is noticed", { ignore: withoutRedis }, async () => {
  await using redis = await RedisServer.start();
  await using proxy = new TcpProxy(redis.port);
  await using it = await setUp({ port: Number(new URL(proxy.origin).port), ...impatient }, redis);
  const reader = await it.read().joined();
  await it.post(1);
  assertEquals(await reader.values(1), [1]);
  proxy.stall();
  assertEquals(await refusal(it.post(2)), unknown);
  proxy.cut();
  await it.connection.back(AbortSignal.timeout(10_000));
  await it.post(3);
  assertEquals(await reader.values(2), [2, 3]);
});

test("one process tells another something", async (it) => {
  await using other = await setUp({}, it.redis);
  const { promise, resolve } = Promise.withResolvers<string>();
  other.connection.onMessage = resolve;
  await it.connection.tell(other.connection.id, "hello");
  assertEquals(await promise, "hello");
});

test("what is told to a process that has ended is left nowhere", async (it) => {
  await it.connection.tell("gone", "hello");
  assertEquals(await it.redis.ask("EXISTS weir:process:gone"), ":0\r\n");
});
