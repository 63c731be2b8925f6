/**
 * WebSockets against the plain Deno idiom: an echo, a message at a time on each socket, and the fan-out of a channel, which
 * the idiom does by a loop over its sockets.
 *
 *     deno run --allow-all tests/bench/sockets_bench.ts
 */
import { compare, publishAll, type Row, start } from "./compare.ts";

const sockets = 100;
const echoes = 200;
const subscribers = 300;
const events = 300;

/** Runs all measurements. */
export async function rows(): Promise<Row[]> {
  const ours = await start("../../main.ts", ["--port", "0"]);
  const idiom = await start("./sockets_idiom.ts");
  let channel = 0;
  const options = { more: true, rounds: 3 };
  try {
    return [
      await compare(
        `WebSocket echo: ${sockets} sockets, ${echoes} messages each`,
        () => echo(ours.port, "/ws"),
        () => echo(idiom.port, "/"),
        { ...options, unit: "messages/s" },
      ),
      await compare(
        `WebSocket fan-out: ${subscribers} sockets, ${events} events`,
        () => {
          const name = `bench-${++channel}`;
          return fanOut(ours.port, `/ws?channel=${name}`, `/channels/${name}`);
        },
        () => fanOut(idiom.port, "/", "/", "hello"),
        { ...options, unit: "events/s" },
      ),
    ];
  } finally {
    await Promise.all([ours.stop(), idiom.stop()]);
  }
}

/** Messages a second that come back, each sent when the one before it has. */
export async function echo(port: number, path: string): Promise<number> {
  const clients = await Promise.all(Array.from({ length: sockets }, () => connect(port, path)));
  const begin = performance.now();
  await Promise.all(clients.map(async (client) => {
    for (let n = 0; n < echoes; n++) {
      await client.send("hello");
      await client.received("hello", 1);
    }
  }));
  const seconds = (performance.now() - begin) / 1_000;
  for (const client of clients) client.close();
  return sockets * echoes / seconds;
}

/** With a greeting the sockets take part once they have had it. */
async function fanOut(port: number, path: string, publish: string, greeting?: string): Promise<number> {
  const clients = await Promise.all(Array.from({ length: subscribers }, () => connect(port, path)));
  if (greeting !== undefined) await Promise.all(clients.map((client) => client.received(greeting, 1)));
  const begin = performance.now();
  const all = Promise.all(clients.map((client) => client.received('"sensor"', events)));
  await publishAll(port, publish, events);
  await all;
  const seconds = (performance.now() - begin) / 1_000;
  for (const client of clients) client.close();
  return subscribers * events / seconds;
}

/** A socket by hand, which costs less than a WebSocket: what it gets is searched for a text, whatever its frames. */
async function connect(port: number, path: string) {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  const encoder = new TextEncoder();
  await connection.write(encoder.encode(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: d2VpciBpcyBhIHdlaXI9PQ==\r\n\r\n",
  ));
  const buffer = new Uint8Array(65_536);
  const decoder = new TextDecoder("latin1");
  let rest = decoder.decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
  return {
    close: () => connection.close(),
    async send(text: string): Promise<void> {
      await connection.write(new Uint8Array([0x81, 0x80 | text.length, 0, 0, 0, 0, ...encoder.encode(text)]));
    },
    async received(text: string, count: number): Promise<void> {
      for (;;) {
        const parts = rest.split(text);
        count -= parts.length - 1;
        rest = parts.pop()!.slice(-text.length);
        if (count <= 0) return;
        const size = await connection.read(buffer);
        if (size === null) throw new Error(`the socket ended, ${count} messages before its end`);
        rest += decoder.decode(buffer.subarray(0, size));
      }
    },
  };
}

if (import.meta.main) await rows();
