/**
 * Two processes against one: short streams on a shared port, by wrk; and with one Redis a channel that is published in one
 * process and read in the other, and a run. It needs redis-server and wrk, on Linux.
 *
 *     deno run --allow-all --no-lock tests/bench/processes_bench.ts [short|fan-out|many|runs …]
 */
import { RedisServer } from "../support/redis.ts";
import { compare, download, format, type Row, start, type Started } from "./compare.ts";
import { connect, publish, type Reader } from "./paced.ts";

const main = "../../main.ts";
const rounds = 5;
const shortStream = "/concurrent_stream?task=a:3:0";
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function output(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args }).output();
  return new TextDecoder().decode(stdout);
}

/** CPU time of processes so far, in µs. */
async function cpu(servers: Started[]): Promise<number> {
  const stats = await output("cat", ...servers.map(({ pid }) => `/proc/${pid}/stat`));
  const ticks = stats.trim().split("\n").map((line) => line.replace(/^.*\) /, "").split(" "));
  // User and system time, in hundredths of a second.
  return ticks.reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0) * 10_000;
}

/** Resident memory of processes, in KB. */
async function memory(servers: Started[]): Promise<number> {
  const pids = servers.map(({ pid }) => pid).join(",");
  return (await output("ps", "-o", "rss=", "-p", pids)).trim().split(/\s+/).reduce(
    (sum, kb) => sum + Number(kb),
    0,
  );
}

async function using<T>(flags: string[][], work: (servers: Started[]) => Promise<T>): Promise<T> {
  const servers: Started[] = [];
  try {
    for (const each of flags) servers.push(await start(main, each));
    return await work(servers);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** Streams of three events as fast as they go. */
async function short(): Promise<Row[]> {
  const port = String(20_000 + Math.floor(Math.random() * 10_000));
  const flags = ["--port", port, "--reuse-port"];
  const round = (count: number) =>
    using(Array.from({ length: count }, () => flags), async (servers) => {
      const wrk = (seconds: string) =>
        output("wrk", "-t1", "-c64", `-d${seconds}`, servers[0].origin + shortStream);
      await wrk("2");
      const before = await cpu(servers);
      const printed = await wrk("5");
      const requests = Number(/(\d+) requests in/.exec(printed)![1]);
      const rate = Number(/Requests\/sec:\s*([\d.]+)/.exec(printed)![1]);
      return { rate, cpu: (await cpu(servers) - before) / requests };
    });
  const all: Awaited<ReturnType<typeof round>>[][] = [];
  for (let n = 0; n < rounds; n++) all.push([await round(2), await round(1)]);
  const row = (work: string, unit: string, of: (figure: { rate: number; cpu: number }) => number): Row => {
    const [ours, idiom] = [0, 1].map((which) => median(all.map((pair) => of(pair[which]))));
    return { work, ours, idiom, unit, ratio: unit === "us" ? idiom / ours : ours / idiom };
  };
  return [
    row("short streams: two processes (one)", "streams/s", ({ rate }) => rate),
    row("the servers' CPU for one of them", "us", (figure) => figure.cpu),
  ];
}

/** Publishes in the first server and reads in the last: ms from the publish to the reader, at this percentile. */
async function fanOut(
  servers: Started[],
  rate: number,
  subscribers: number,
  seconds: number,
): Promise<number> {
  const channel = `/channels/fan-${rate}-${crypto.randomUUID()}`;
  const readers = await Promise.all(
    Array.from({ length: subscribers }, (_, n) => connect(servers.at(-1)!.port, channel, n % 25 === 0)),
  );
  const events = rate * seconds;
  const all = Promise.all(readers.map((reader) => reader.read(events)));
  const took = await publish(servers[0].port, channel, rate, events);
  await all;
  for (const reader of readers) reader.close();
  const late = readers.flatMap(({ delays }) => delays).sort((a, b) => a - b);
  const p99 = late[Math.floor(late.length * 0.99)];
  console.log(
    `  ${events} events, ${Math.round(events / took)}/s of ${rate}/s, to ${subscribers} readers: ` +
      `each once and in order, p50 ${late[late.length >> 1].toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
  );
  return p99;
}

async function fanOuts(): Promise<Row[]> {
  await using redis = await RedisServer.start();
  const shared = ["--port", "0", "--redis", redis.url];
  return await using([shared, shared, ["--port", "0"]], async ([first, second, alone]) => {
    await fanOut([first, second], 2_000, 500, 5);
    return [
      await compare(
        "p99 of 500 events/s at 500 readers of the other process (one, memory)",
        () => fanOut([first, second], 500, 500, 3),
        () => fanOut([alone], 500, 500, 3),
        { rounds: 3 },
      ),
    ];
  });
}

/** Readers that mostly wait. */
async function many(): Promise<Row[]> {
  await using redis = await RedisServer.start();
  const shared = ["--port", "0", "--redis", redis.url];
  const kb = async (servers: Started[], each: number) => {
    const before = await memory(servers);
    const readers: Reader[] = [];
    for (const { port } of servers) {
      for (let n = 0; n < each; n += 250) {
        readers.push(
          ...await Promise.all(Array.from({ length: 250 }, () => connect(port, "/channels/many"))),
        );
      }
    }
    const all = Promise.all(readers.map((reader) => reader.read(10)));
    await publish(servers[0].port, "/channels/many", 1, 10);
    await all;
    const after = await memory(servers);
    for (const reader of readers) reader.close();
    console.log(`  ${readers.length} readers over ${servers.length} processes: none lost, none cut`);
    return (after - before) / readers.length;
  };
  const two = await using([shared, shared], (servers) => kb(servers, 5_000));
  const one = await using([["--port", "0"]], (servers) => kb(servers, 5_000));
  const work = "memory of one of 10,000 readers over two processes (5,000 in one)";
  return [{ work, ours: two, idiom: one, unit: "KB", ratio: one / two }];
}

/** A run of 20,000 events, read by who starts it. */
async function runs(): Promise<Row[]> {
  await using redis = await RedisServer.start();
  const tasks = Array.from({ length: 50 }, (_, n) => `task=t${n}:400:0`).join("&");
  return await using([["--port", "0", "--redis", redis.url], ["--port", "0"]], async ([shared, alone]) => {
    let run = 0;
    const perSecond = async ({ port }: Started) => {
      const began = performance.now();
      await download(port, `/concurrent_stream?${tasks}&run=r${run++}`);
      return 20_000 / (performance.now() - began) * 1_000;
    };
    return [
      await compare(
        "a run of 20,000 events, with Redis (without)",
        () => perSecond(shared),
        () => perSecond(alone),
        { unit: "events/s", more: true },
      ),
    ];
  });
}

const parts: Record<string, () => Promise<Row[]>> = { short, "fan-out": fanOuts, many, runs };

/** Runs all measurements, or those that are named. */
export async function rows(names: string[] = Object.keys(parts)): Promise<void> {
  for (const name of names) {
    const printed = await parts[name]();
    if (name === "short" || name === "many") { for (const row of printed) console.log(format(row)); }
  }
}

if (import.meta.main) {
  await rows(Deno.args.length > 0 ? Deno.args : undefined);
  Deno.exit(0);
}
