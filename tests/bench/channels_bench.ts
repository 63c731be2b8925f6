/**
 * The fan-out of a channel against the plain Deno idiom: subscribers on sockets, and one publisher that posts as fast as
 * the answers come. The figure is deliveries a second, from the first post to the last event at the last subscriber.
 *
 *     deno run --allow-all tests/bench/channels_bench.ts
 */
import { compare, publishAll, type Row, start } from "./compare.ts";

const subscribers = 300;
const events = 300;

/** Runs all measurements. */
export async function rows(): Promise<Row[]> {
  const ours = await start("../../main.ts", ["--port", "0"]);
  const idiom = await start("./channels_idiom.ts");
  let channel = 0;
  try {
    return [
      await compare(
        `fan-out: ${subscribers} subscribers, ${events} events`,
        () => fanOut(ours.port, `/channels/bench-${++channel}`),
        () => fanOut(idiom.port, "/"),
        { unit: "events/s", more: true, rounds: 3 },
      ),
    ];
  } finally {
    await Promise.all([ours.stop(), idiom.stop()]);
  }
}

/** Deliveries a second to all subscribers. */
export async function fanOut(port: number, path: string): Promise<number> {
  const readers = await Promise.all(
    Array.from({ length: subscribers }, () => subscribe(port, path)),
  );
  const begin = performance.now();
  const all = Promise.all(readers.map((reader) => reader.received(events)));
  await publishAll(port, path, events);
  await all;
  const seconds = (performance.now() - begin) / 1_000;
  for (const reader of readers) reader.close();
  return subscribers * events / seconds;
}

/** A subscriber whose response has begun. */
async function subscribe(port: number, path: string) {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  await socket.write(
    new TextEncoder().encode(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`,
    ),
  );
  const buffer = new Uint8Array(65_536);
  await socket.read(buffer);
  return {
    close: () => socket.close(),
    async received(count: number): Promise<void> {
      const decoder = new TextDecoder();
      for (let rest = ""; count > 0;) {
        const size = await socket.read(buffer);
        if (size === null) throw new Error(`the stream ended, ${count} events before its end`);
        const lines = (rest + decoder.decode(buffer.subarray(0, size), { stream: true })).split("\n");
        rest = lines.pop()!;
        for (const line of lines) if (line.startsWith("data: ")) count--;
      }
    },
  };
}

if (import.meta.main) await rows();
