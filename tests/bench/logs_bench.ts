/**
 * The logs' speed: reading a whole log against a plain download and the plain Deno idiom, the time from a write to the
 * client, and many followers of one log. The server is a process of its own, as it is started by a user.
 *
 *     deno run --allow-all tests/bench/logs_bench.ts [SECONDS] [PORT]
 */
import { fileURLToPath } from "node:url";
import { TextLineStream } from "@std/streams";

/** One measured figure, beside what it is to be compared with. */
export interface Row {
  what: string;
  /** In `unit`. */
  ours: number;
  /** The other's figure, or the bound. */
  other: number;
  unit: string;
  /** What `other` is. */
  against: string;
}

/** How the benchmark runs. */
export interface Options {
  /** Seconds that the followers are watched for. */
  seconds?: number;
  port?: number;
  followers?: number;
}

const lineCount = 2_000_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1];
const main = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** Runs all measurements. */
export async function rows({ seconds = 10, port = 9530, followers = 500 }: Options = {}): Promise<Row[]> {
  const folder = await Deno.makeTempDir({ prefix: "weir-bench-" });
  const server = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--allow-read",
      "--allow-write",
      "--allow-net",
      "--allow-env",
      "--allow-sys",
      main,
      "--port",
      `${port}`,
      "--logs",
      folder,
      "--files",
      folder,
    ],
    cwd: folder,
    stdout: "piped",
  }).spawn();
  const stdout = server.stdout.getReader();
  await stdout.read();
  const origin = `http://127.0.0.1:${port}`;
  try {
    return [
      ...await whole(origin, folder),
      await latency(origin, folder),
      ...await fanOut(origin, folder, followers, seconds),
    ];
  } finally {
    server.kill("SIGKILL");
    await server.status;
    await stdout.cancel();
    await Deno.remove(folder, { recursive: true });
  }
}

/** A log of 100-byte lines from its start, against the same file as a download and as a plain loop. */
async function whole(origin: string, folder: string): Promise<Row[]> {
  const path = `${folder}/whole.log`;
  const file = await Deno.create(path);
  for (let n = 0; n < lineCount;) {
    let text = "";
    for (const end = n + 10_000; n < end; n++) {
      text += `2030-01-02T03:04:05.${n % 1000} INFO request ${n} was served from the cache`.padEnd(99, ".") +
        "\n";
    }
    await file.write(new TextEncoder().encode(text));
  }
  file.close();
  const seconds: Record<string, number[]> = { download: [], text: [], ndjson: [], loop: [] };
  const timed = async (name: string, run: () => Promise<void>) => {
    const start = performance.now();
    await run();
    seconds[name].push((performance.now() - start) / 1000);
  };
  const log = `${origin}/logs/whole.log?from=start&follow=false`;
  for (let i = 0; i < 3; i++) {
    await timed("download", () => drain(`${origin}/files/whole.log`));
    await timed("text", () => drain(log));
    await timed("ndjson", () => drain(`${log}&format=ndjson`));
    await timed("loop", () => loop(path));
  }
  const rate = (name: string, amount: number) => Math.round(amount / median(seconds[name]));
  const megabytes = lineCount / 10_000;
  return [
    {
      what: "a log from its start, as text",
      ours: rate("text", megabytes),
      other: rate("download", megabytes),
      unit: "MB/s",
      against: "the same file from /files",
    },
    {
      what: "a log from its start, as NDJSON",
      ours: rate("ndjson", lineCount),
      other: rate("loop", lineCount),
      unit: "lines/s",
      against: "TextLineStream and JSON.stringify, without HTTP",
    },
  ];
}

async function drain(url: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const reader = response.body!.getReader();
  while (!(await reader.read()).done);
}

async function loop(path: string): Promise<void> {
  const file = await Deno.open(path);
  const encoder = new TextEncoder();
  let number = 0;
  let bytes = 0;
  for await (
    const data of file.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
  ) {
    bytes += encoder.encode(JSON.stringify({ id: `${number++}`, data }) + "\n").length;
  }
}

/** From a write to the client, one line at a time. */
async function latency(origin: string, folder: string): Promise<Row> {
  const path = `${folder}/latency.log`;
  await Deno.writeTextFile(path, "first\n");
  const response = await fetch(`${origin}/logs/latency.log?lines=1`);
  const reader = response.body!.getReader();
  await reader.read();
  const times: number[] = [];
  for (let n = 0; n < 200; n++) {
    await pause(5 + n % 20);
    const start = performance.now();
    Deno.writeTextFileSync(path, `line ${n}\n`, { append: true });
    await reader.read();
    times.push(performance.now() - start);
  }
  await reader.cancel();
  return {
    what: "from a write to the client, median",
    ours: median(times),
    other: 20,
    unit: "ms",
    against: "the bound",
  };
}

/** Many followers of one log that grows by 1,000 lines/s. */
async function fanOut(
  origin: string,
  folder: string,
  followers: number,
  seconds: number,
): Promise<Row[]> {
  const path = `${folder}/busy.log`;
  await Deno.writeTextFile(path, "");
  let lines = 0;
  let behind = followers;
  const total = seconds * 1_000;
  const clients = Array.from({ length: followers }, async () => {
    const response = await fetch(`${origin}/logs/busy.log?lines=0&format=ndjson`);
    if (!response.ok) throw new Error(`${response.status}`);
    let mine = 0;
    for await (const chunk of response.body!) {
      for (let at = 0; (at = chunk.indexOf(10, at) + 1) > 0;) mine++;
      if (mine >= total) break;
    }
    lines += mine;
    behind--;
  });
  await pause(2_000);
  const file = await Deno.open(path, { append: true });
  const memory: number[] = [];
  const start = performance.now();
  for (let written = 0, n = 0; written < total; n++) {
    const due = Math.min(total, Math.floor(performance.now() - start));
    let text = "";
    for (; written < due; written++) text += `${written}`.padEnd(99, ".") + "\n";
    if (text !== "") await file.write(new TextEncoder().encode(text));
    if (n % 200 === 0) memory.push(await residentMegabytes(origin));
    await pause(5);
  }
  file.close();
  await Promise.race([Promise.all(clients), pause(10_000)]);
  console.error(
    `memory of the server over the run, MB: ${memory.join(" ")}; followers that miss lines: ${behind}`,
  );
  const third = Math.ceil(memory.length / 3);
  return [
    {
      what: `lines to ${followers} followers in ${seconds} s`,
      ours: lines,
      other: total * followers,
      unit: "lines",
      against: "all that were written",
    },
    {
      what: "the server's memory in the last third",
      ours: median(memory.slice(-third)),
      other: median(memory.slice(third, 2 * third)),
      unit: "MB",
      against: "the middle third",
    },
  ];
}

/** What the server itself says of its memory. */
async function residentMegabytes(origin: string): Promise<number> {
  const sensors: { id: string; value: number }[] = await (await fetch(`${origin}/sensors`)).json();
  return Math.round(sensors.find(({ id }) => id === "server-memory")!.value / 2 ** 20);
}

/** A row as a line of the table. */
export function format({ what, ours, other, unit, against }: Row): string {
  const ratio = (ours / other).toFixed(2);
  return `${what}: ${+ours.toFixed(2)} ${unit}; ${against}: ${+other.toFixed(2)} (${ratio} x)`;
}

if (import.meta.main) {
  const [seconds, port] = Deno.args.map(Number);
  for (const row of await rows({ seconds, port })) console.log(format(row));
  Deno.exit(0);
}
