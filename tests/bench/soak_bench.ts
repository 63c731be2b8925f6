/**
 * Five minutes of mixed load on one server: whether its memory is flat once its histories are full. The figures are its own,
 * from /metrics; it fails when the last fifth of the time takes over a tenth more memory than the second fifth.
 *
 *     deno task bench soak
 *     deno run --allow-all tests/bench/soak_bench.ts [SECONDS]
 */
import { connect, leave } from "../support/socket_client.ts";
import { open } from "../support/wire.ts";
import { start } from "./compare.ts";

const rowsOfTable = 10;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const upTo = (n: number) => Math.floor(Math.random() * n);
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** What clients do: each piece of work once, over and over, by so many at once. */
const work: Record<string, { clients: number; once(origin: string, n: number): Promise<unknown> }> = {
  "publish": { clients: 4, once: publish },
  "subscribe for up to 5 s": {
    clients: 40,
    once: (origin, n) => read(origin, `/channels/soak-${n % 4}`, 5_000),
  },
  "one stream for several": {
    clients: 5,
    once: (origin) => read(origin, "/events?channel=soak-0&log=app.log&sensor=cpu&server", 3_000),
  },
  "follow a log": {
    clients: 10,
    once: (origin) => read(origin, "/logs/app.log?format=ndjson&lines=50", 3_000),
  },
  "watch sensors": { clients: 5, once: (origin) => read(origin, "/sensors/stream", 4_000) },
  "a short stream": {
    clients: 4,
    once: (origin) => ask(origin, "/stream?count=5&interval=0&request=false"),
  },
  "a run of one's own": {
    clients: 2,
    once: (origin) =>
      ask(origin, `/stream?run=soak-${crypto.randomUUID()}&count=50&interval=5&request=false`),
  },
  "a piece of a file": {
    clients: 2,
    once: (origin) => ask(origin, "/files/data.bin", { range: `bytes=${upTo(4_000_000)}-` }),
  },
  "a download that is left": { clients: 2, once: (origin) => read(origin, "/files/data.bin", 50) },
  "echo over a socket": { clients: 10, once: echo },
  "what is refused": {
    clients: 2,
    once: (origin) => ask(origin, ["/nowhere", "/stream?count=x", "/channels/a%20b", "/runs/none"][upTo(4)]),
  },
};

async function ask(origin: string, path: string, headers: HeadersInit = {}): Promise<void> {
  await (await fetch(origin + path, { headers })).bytes();
}

/** Reads a stream for a while, and leaves. */
async function read(origin: string, path: string, maxMs: number): Promise<void> {
  const reading = await open(origin + path);
  const timer = setTimeout(() => reading.leave(), upTo(maxMs));
  await reading.rest().catch(() => {});
  clearTimeout(timer);
}

async function publish(origin: string, n: number): Promise<void> {
  const body = JSON.stringify({ n: Math.random(), text: "x".repeat(upTo(500)) });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${origin}/channels/soak-${n % 4}`, { method: "POST", body, headers });
  await response.body?.cancel();
}

async function echo(origin: string): Promise<void> {
  const client = await connect(`${origin}/ws`);
  for (let n = 0; n < 50; n++) {
    client.socket.send(`message ${n}`);
    await pause(upTo(20));
  }
  await leave(client);
}

/** The sum of a metric's series. */
function sum(text: string, name: string): number {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** Runs the load, prints a table, and says whether the memory was flat. */
export async function soak(seconds = 300): Promise<boolean> {
  const server = await start("./soak_server.ts");
  const { origin } = server;
  let done = false;
  const failures = new Map<string, number>();
  const clients = Object.entries(work).flatMap(([name, { clients, once }]) =>
    Array.from({ length: clients }, async (_, n) => {
      while (!done) {
        await once(origin, n).catch((error) => {
          const failure = `${name}: ${error.message}`;
          failures.set(failure, (failures.get(failure) ?? 0) + 1);
        });
        await pause(upTo(40));
      }
    })
  );
  const names = ["process_resident_memory_bytes", "weir_heap_bytes", "weir_external_bytes"];
  const resident: number[] = [];
  const heads = [
    "s",
    "RSS MiB",
    "heap MiB",
    "external",
    "streams",
    "sockets",
    "requests",
    "events",
    "late >50 ms",
  ];
  console.log(heads.map((head) => head.padStart(11)).join(" "));
  for (let row = 1; row <= rowsOfTable; row++) {
    const samples: number[][] = [];
    let text = "";
    for (const end = performance.now() + seconds * 1_000 / rowsOfTable; performance.now() < end;) {
      text = await (await fetch(`${origin}/metrics`)).text();
      samples.push(names.map((name) => sum(text, name) / 1_048_576));
      await pause(1_000);
    }
    const [rss, heap, external] = names.map((_, i) => median(samples.map((sample) => sample[i])));
    resident.push(rss);
    const late = sum(text, "weir_event_loop_delay_seconds_count") -
      Number(/weir_event_loop_delay_seconds_bucket\{le="0.05"\} (\d+)/.exec(text)![1]);
    const figures = [
      (row * seconds / rowsOfTable).toFixed(0),
      ...[rss, heap, external].map((mib) => mib.toFixed(1)),
      ...["weir_streams_open", "weir_sockets_open", "weir_requests_total", "weir_events_sent_total"]
        .map((name) => sum(text, name)),
      late,
    ];
    console.log(figures.map((figure) => String(figure).padStart(11)).join(" "));
  }
  done = true;
  await Promise.all(clients);
  await server.stop();
  for (const [failure, times] of failures) console.log(`${times} × ${failure}`);
  const [full, end] = [median(resident.slice(2, 4)), median(resident.slice(-2))];
  const growth = (end / full - 1) * 100;
  console.log(
    `memory once the histories are full ${full.toFixed(1)} MiB, at the end ${end.toFixed(1)} MiB: ${
      growth.toFixed(1)
    } %`,
  );
  return growth <= 10;
}

if (import.meta.main) Deno.exit(await soak(Number(Deno.args[0] ?? 300)) ? 0 : 1);
