import { fileURLToPath } from "node:url";

/** One line of the table: the medians of both, and how many times better ours is. */
export interface Row {
  work: string;
  /** Median of ours, in `unit`. */
  ours: number;
  /** Median of the plain idiom, in `unit`. */
  idiom: number;
  unit: string;
  /** Idiom ÷ ours where less is better, ours ÷ idiom where more is. */
  ratio: number;
}

/** The middle one. */
export const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

/**
 * Runs both in turn, A B A B, after one round that does not count. `run` gives its figure in `unit`.
 */
export async function compare(
  work: string,
  ours: () => Promise<number>,
  idiom: () => Promise<number>,
  { unit = "ms", rounds = 5, more = false }: { unit?: string; rounds?: number; more?: boolean } = {},
): Promise<Row> {
  const figures: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const pair = [await ours(), await idiom()];
    if (round > 0) pair.forEach((figure, which) => figures[which].push(figure));
  }
  const [a, b] = figures.map(median);
  const row = { work, ours: a, idiom: b, unit, ratio: more ? a / b : b / a };
  console.log(format(row));
  return row;
}

/** A row as a line of the table. */
export function format({ work, ours, idiom, unit, ratio }: Row): string {
  const number = (value: number) => value.toFixed(value < 10 ? 2 : 0).padStart(9);
  return `${work.padEnd(58)} ${number(ours)} ${number(idiom)} ${unit.padEnd(10)} ${
    ratio.toFixed(2).padStart(6)
  } x`;
}

/** The time that `work` takes, in ms. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** A server that {@linkcode start} has started. */
export interface Started {
  origin: string;
  port: number;
  pid: number;
  stop(): Promise<void>;
}

/** A server in a process of its own, in a folder of its own for its logs; it prints its address first. */
export async function start(
  script: string,
  args: string[] = [],
): Promise<Started> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const permissions = ["read", "write", "net", "env", "sys"].map((name) => `--allow-${name}`);
  const cwd = await Deno.makeTempDir({ prefix: "weir-bench-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", ...permissions, path, ...args],
    stdout: "piped",
    stderr: "null",
    cwd,
  }).spawn();
  const reader = child.stdout.getReader();
  let printed = "";
  while (!printed.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${script} did not start`);
    printed += new TextDecoder().decode(value);
  }
  const origin = printed.match(/http:\/\/[^/\s]+/)![0];
  return {
    origin,
    port: Number(new URL(origin).port),
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      await reader.cancel();
      await child.status;
      await Deno.remove(cwd, { recursive: true });
    },
  };
}

/** GETs `path` over a bare socket and reads to the end of the connection: a client that costs next to nothing. */
export async function download(
  port: number,
  path: string,
  onChunk: (bytes: Uint8Array) => void = () => {},
): Promise<number> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  await socket.write(
    new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`),
  );
  const buffer = new Uint8Array(262_144);
  let total = 0;
  for (let size; (size = await socket.read(buffer)) !== null;) {
    total += size;
    onChunk(buffer.subarray(0, size));
  }
  return total;
}

/** Publishes events one after the other, each when the one before has its answer. */
export async function publishAll(port: number, path: string, events: number): Promise<void> {
  for (let i = 0; i < events; i++) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ i, sensor: "cpu", value: 0.12345678, unit: "percent" }),
    });
    await response.body?.cancel();
  }
}
