import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { openRedisStore, RedisStartError } from "../../../../lib/channels/redis/start.ts";
import { valueOf } from "../../../../lib/channels/value.ts";
import { Limits } from "../../../../lib/limits.ts";
import { ndjson } from "../../../../lib/stream/formats/ndjson.ts";
import { Subscription } from "../../../support/channel_store_contract.ts";
import { granted } from "../../../support/granted.ts";
import { RedisServer, withoutRedis } from "../../../support/redis.ts";

/** Opens a store; with what is reported. */
async function open(url: string, connectMs?: number) {
  const warnings: string[] = [];
  const settings = { redis: url, limits: new Limits() };
  const store = await openRedisStore(settings, (message) => warnings.push(message), { connectMs });
  return { store, warnings };
}

/** What is said of a Redis that cannot be used. */
async function failure(url: string, connectMs?: number): Promise<string> {
  return (await assertRejects(() => open(url, connectMs), RedisStartError)).message;
}

/** A listener that answers what it is sent by the name of each command, and else nothing. */
function pretend(answers: Record<string, string> = {}) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async (connection: Deno.Conn) => {
    const buffer = new Uint8Array(65_536);
    // Until its client closes it.
    for (let size; (size = await connection.read(buffer).catch(() => null)) !== null;) {
      const words = new TextDecoder().decode(buffer.subarray(0, size)).split("\r\n");
      const answer = words.map((word) => answers[word] ?? "").join("");
      await connection.write(new TextEncoder().encode(answer)).catch(() => {});
    }
    connection.close();
  };
  const serving = (async () => {
    const connections: Promise<void>[] = [];
    for await (const connection of listener) connections.push(serve(connection));
    await Promise.all(connections);
  })();
  return {
    host: `127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

Deno.test("where nobody listens the start fails in one line", { ignore: !granted.server }, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  const host = `127.0.0.1:${listener.addr.port}`;
  const line = `cannot use the Redis at ${host}: connect ECONNREFUSED ${host}`;
  assertMatch(await failure(`redis://user:secret@${host}`), new RegExp(`^${line}`));
});

Deno.test("one that does not answer fails the start in time", { ignore: !granted.server }, async () => {
  await using silent = pretend();
  const line = `cannot use the Redis at ${silent.host}: no answer within 0.1 s`;
  assertEquals(await failure(`redis://:secret@${silent.host}`, 100), line);
});

Deno.test("an older Redis fails the start", { ignore: !granted.server }, async () => {
  const info = "# Server\r\nredis_version:6.2.14\r\n";
  await using old = pretend({
    XADD: "$3\r\n1-1\r\n",
    XREAD: "*-1\r\n",
    EXPIRE: ":1\r\n",
    INFO: `$${info.length}\r\n${info}\r\n`,
  });
  const line = `cannot use the Redis at ${old.host}: it must have version 7 or later: it has 6.2.14`;
  assertEquals(await failure(`redis://${old.host}`), line);
});

const wrong: [what: string, url: (host: string) => string, reason: RegExp][] = [
  ["a wrong password", (host) => `redis://:not-it@${host}`, /WRONGPASS/],
  ["a missing password", (host) => `redis://${host}`, /NOAUTH/],
  ["a database that it does not have", (host) => `redis://:secret@${host}/99`, /DB index is out of range/],
  ["TLS where it has none", (host) => `rediss://:secret@${host}`, /./],
];
for (const [what, url, reason] of wrong) {
  Deno.test(`${what} fails the start in one line`, { ignore: withoutRedis }, async () => {
    await using redis = await RedisServer.start("--requirepass", "secret");
    const message = await failure(url(`127.0.0.1:${redis.port}`), 2_000);
    assert(message.startsWith(`cannot use the Redis at 127.0.0.1:${redis.port}: `));
    assertMatch(message, reason);
    assertEquals(/secret|not-it|\n/.test(message), false);
  });
}

Deno.test("a user who may not read fails the start in one line", { ignore: withoutRedis }, async () => {
  await using redis = await RedisServer.start();
  await redis.ask("ACL SETUSER weir on >secret ~weir:* -@all +xadd +expire +info");
  assertMatch(await failure(redis.url.replace("//", "//weir:secret@")), /NOPERM .*'xread'/);
});

Deno.test(
  "what may lose events is reported at the start, each by itself",
  { ignore: withoutRedis },
  async () => {
    await using redis = await RedisServer.start("--appendonly", "no", "--maxmemory-policy", "allkeys-lru");
    const { store, warnings } = await open(redis.url);
    assertEquals(warnings.map((line) => /appendonly no|allkeys-lru/.exec(line)?.[0]), [
      "appendonly no",
      "allkeys-lru",
    ]);
    await store.close();
  },
);

Deno.test("a Redis that loses nothing starts without a warning", { ignore: withoutRedis }, async () => {
  await using redis = await RedisServer.start();
  const { store, warnings } = await open(redis.url);
  assertEquals(warnings, []);
  await store.close();
});

Deno.test("the README's ACL line lets Weir do all that it does", {
  ignore: withoutRedis || !granted.files,
}, async () => {
  const readme = await Deno.readTextFile(new URL("../../../../README.md", import.meta.url));
  const line = /^ACL SETUSER weir .*$/m.exec(readme)![0];
  await using redis = await RedisServer.start();
  assertEquals(await redis.ask(line.replace("PASSWORD", "secret")), "+OK\r\n");
  const { store, warnings } = await open(redis.url.replace("//", "//weir:secret@"));
  const stop = new AbortController();
  const read = (after?: string) =>
    new Subscription(store.subscribe("x", { after, format: ndjson, signal: stop.signal }));
  const reader = await read().joined();
  const id = await store.publish("x", [valueOf(1), valueOf(2)]);
  for (let n = 3; n < 13; n++) await store.publish("x", [valueOf(n)], `key-${n}`);
  await redis.ask("EXPIRE weir:channel:x:keys 299");
  await store.publish("x", [valueOf(13)], "last");
  assertEquals(await reader.follow(13), 0);
  assertEquals((await read(id).values(11)).at(-1), 13);
  assertEquals((await store.list()).length, 1);
  await store.connection.tell(store.connection.id, "hello");
  assertEquals(warnings, []);
  assertEquals(store.fault, null);
  stop.abort();
  await store.close();
});
