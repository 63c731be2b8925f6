/**
 * Channels in Redis: posts against those of the memory store, and what is posted and read back in bulk against node-redis
 * alone, which does the same without HTTP. It needs redis-server.
 *
 *     deno run --allow-all --no-lock tests/bench/redis_bench.ts
 */
import { RedisServer } from "../support/redis.ts";
import { compare, type Row, start } from "./compare.ts";

const connections = 64;
const posts = 20_000;
const bulk = 100;
const bulks = 1_000;
const history = 100_000;

/** What is used of node-redis, as it comes. */
interface NodeRedis {
  connect(): Promise<unknown>;
  xAdd(key: string, id: string, fields: Record<string, string>): Promise<unknown>;
  xRange(key: string, from: string, to: string, options: { COUNT: number }): Promise<{ id: string }[]>;
  del(key: string): Promise<unknown>;
  destroy(): void;
}

const event = (i: number) => JSON.stringify({ i, sensor: "cpu", value: 0.12345678, unit: "percent" });

/** Runs all measurements. */
export async function rows(): Promise<Row[]> {
  await using redis = await RedisServer.start();
  const specifier = "npm:redis@6.3.1";
  const { createClient } = await import(specifier) as { createClient(options: unknown): NodeRedis };
  const client = createClient({ url: redis.url });
  await client.connect();
  const ours = await start("../../main.ts", [
    "--port",
    "0",
    "--redis",
    redis.url,
    "--history",
    String(history),
  ]);
  const memory = await start("../../main.ts", ["--port", "0"]);
  const lines = Array.from({ length: bulk }, (_, i) => event(i)).join("\n");
  // A channel of its own each time: what one reader has read another might find in memory.
  let channel = 0;
  const fill = () => post(ours.port, 8, bulks, lines, "application/x-ndjson", `bench-${++channel}`);
  try {
    return [
      await compare(
        `one event a POST, ${connections} connections (memory store)`,
        () => post(ours.port, connections, posts, event(0), "application/json"),
        () => post(memory.port, connections, posts, event(0), "application/json"),
        { unit: "posts/s", more: true },
      ),
      await compare(
        `NDJSON posts of ${bulk} events (node-redis alone)`,
        async () => bulk * await fill(),
        async () => {
          await client.del("bench");
          return await perSecond(bulk * bulks, async () => {
            for (let n = 0; n < bulks; n += 8) {
              const adds = Array.from(
                { length: bulk * 8 },
                (_, i) => client.xAdd("bench", "*", { d: event(i) }),
              );
              await Promise.all(adds);
            }
          });
        },
        { unit: "events/s", more: true },
      ),
      await compare(
        `replay of ${history} events by one reader (node-redis alone)`,
        async () => {
          await fill();
          return await perSecond(history, () => replay(ours.port, `bench-${channel}`));
        },
        () => perSecond(history, () => readAll(client, `bench-${channel}`)),
        { unit: "events/s", more: true },
      ),
    ];
  } finally {
    client.destroy();
    await Promise.all([ours.stop(), memory.stop()]);
  }
}

async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return count / ((performance.now() - start) / 1_000);
}

/** POSTs a body `count` times over connections that each wait for their answer; how many a second. */
function post(
  port: number,
  connections: number,
  count: number,
  body: string,
  type: string,
  channel = "bench",
): Promise<number> {
  const request = new TextEncoder().encode(
    `POST /channels/${channel} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: ${type}\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  const one = async () => {
    using socket = await Deno.connect({ hostname: "127.0.0.1", port });
    const buffer = new Uint8Array(4_096);
    for (let n = 0; n < count / connections; n++) {
      for (let sent = 0; sent < request.length;) sent += await socket.write(request.subarray(sent));
      const size = await socket.read(buffer);
      if (size === null || buffer[9] !== 0x32) {
        throw new Error(new TextDecoder().decode(buffer.subarray(0, size ?? 0)));
      }
    }
  };
  return perSecond(count, () => Promise.all(Array.from({ length: connections }, one)));
}

/** Reads all that is kept, as NDJSON, up to its last event. */
async function replay(port: number, channel: string): Promise<void> {
  const url = `http://127.0.0.1:${port}/channels/${channel}?after=0&format=ndjson`;
  const stop = new AbortController();
  const { body } = await fetch(url, { signal: stop.signal });
  let lines = 0;
  for await (const chunk of body!) {
    for (const byte of chunk) if (byte === 10) lines++;
    if (lines >= history) break;
  }
  stop.abort();
}

async function readAll(client: NodeRedis, channel: string): Promise<void> {
  let from = "-";
  for (let count = 0; count < history;) {
    const entries = await client.xRange(`weir:channel:${channel}`, from, "+", { COUNT: 1_000 });
    count += entries.length;
    from = `(${entries.at(-1)!.id}`;
  }
}

if (import.meta.main) {
  await rows();
  Deno.exit(0);
}
