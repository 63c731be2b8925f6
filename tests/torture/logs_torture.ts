/**
 * The logs' torture test, through the real server: a writer numbers its lines while its file is rotated 200 times in each
 * way, a client is cut and comes back at random, and the server is killed or stopped and started again in between.
 *
 *     deno run --allow-all tests/torture/logs_torture.ts [PORT] [ROTATIONS] [SEED] [KIND …]
 */
import { fileURLToPath } from "node:url";
import { LogWriter, type Rotation, seeded, Seen } from "../support/log_writer.ts";

const [port = "9510", rotations = "200", seed = "1", ...only] = Deno.args;
const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
const folder = await Deno.makeTempDir({ prefix: "weir-torture-" });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function start(): Promise<Deno.ChildProcess> {
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", main, "--port", port, "--logs", folder],
    cwd: folder,
    stdout: "piped",
  }).spawn();
  const reader = server.stdout.getReader();
  await reader.read();
  reader.releaseLock();
  return server;
}

/** Reads until its time is up or the last number is there; returns the cursor to come back with. */
async function read(
  name: string,
  seen: Seen,
  after: string | null,
  ms: number,
  last: () => number,
): Promise<string | null> {
  // As a browser does it: the same URL, and the cursor beside it.
  const headers: Record<string, string> = after === null ? {} : { "Last-Event-ID": after };
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), ms);
  try {
    const response = await fetch(`http://127.0.0.1:${port}/logs/${name}?format=ndjson&from=start`, {
      signal: abort.signal,
      headers,
    });
    if (!response.ok) throw new TypeError(await response.text());
    let rest = "";
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    abort.signal.addEventListener("abort", () => void reader.cancel().catch(() => {}));
    for (let read; !(read = await reader.read()).done;) {
      const text = read.value;
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const { id, event, data } = JSON.parse(line);
        if (event === "gap") seen.gap();
        else if (event === undefined) seen.line(data);
        after = id ?? after;
      }
      if (seen.last >= last()) break;
    }
  } catch (error) {
    // The client was cut, or the server is away.
    if (
      !(error instanceof TypeError || error instanceof DOMException || (error as Error).name === "AbortError")
    ) throw error;
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
  return after;
}

let server = await start();
try {
  const ways: Rotation[] = [
    "rename",
    "copytruncate",
    "logrotate",
    "logrotate-copytruncate",
    "logrotate-compress",
    "logrotate-delaycompress",
    "logrotate-copytruncate-compress",
    "rotating-file-stream",
    "lumberjack",
    "lumberjack-reason",
    "pm2-logrotate",
    "dateformat",
    "extension",
    "olddir",
  ];
  for (const how of ways) {
    if (only.length > 0 && !only.includes(how)) continue;
    const random = seeded(Number(seed));
    using writer = new LogWriter(folder, `${how}.log`, 30);
    const seen = new Seen(writer);
    let done = false;
    let restarts = 0;
    let connections = 0;
    const client = (async () => {
      let after: string | null = null;
      while (!done || seen.last < writer.last) {
        connections++;
        after = await read(
          `${how}.log`,
          seen,
          after,
          10 + random() * 300,
          () => done ? writer.last : Infinity,
        );
        if (random() < 0.5) await pause(random() * 150);
      }
    })();
    client.catch(() => {});
    // What is rotated away before the client has begun is none of its lines.
    writer.write(1);
    while (seen.last === 0) await pause(10);
    for (let n = 0; n < Number(rotations); n++) {
      for (let i = random() * 6; i > 0; i--) {
        writer.write(1 + Math.floor(random() * 200));
        await pause(random() * 20);
      }
      await writer.rotate(how, Math.floor(random() * 3));
      if (random() < 0.04) {
        restarts++;
        server.kill(random() < 0.5 ? "SIGKILL" : "SIGTERM");
        await server.status;
        await pause(random() * 200);
        server = await start();
      }
    }
    writer.write(10);
    done = true;
    const giveUp = setTimeout(() => {
      console.error(`${how}: stuck at ${seen.last} of ${writer.last}`);
      server.kill("SIGKILL");
      Deno.exit(1);
    }, 30_000);
    await client;
    clearTimeout(giveUp);
    console.log(
      `${how}: ${rotations} rotations, ${writer.last} lines, ${connections} connections, ${restarts} restarts: ` +
        `${seen.gaps} gaps, ${seen.missing} lines missing within them ` +
        `(${seen.skipped} of them could still be read), ${seen.untrue} gaps where nothing was truncated, none elsewhere, none twice`,
    );
  }
} finally {
  server.kill("SIGKILL");
  await server.status;
  await Deno.remove(folder, { recursive: true });
}
