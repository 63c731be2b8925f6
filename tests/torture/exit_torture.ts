/**
 * SIGTERM at random moments under mixed load: streams in each format, downloads (some that nobody reads), sockets, runs and
 * posts, every other round by TLS. Each server has to exit with 0 within `--drain` and 0.5 s, and print nothing but what was cut.
 *
 *     deno run --allow-all tests/torture/exit_torture.ts [ROUNDS]
 */
import { makeCertificate, trusting } from "../support/certificates.ts";
import { start } from "../support/process.ts";
import { find } from "../support/programs.ts";

const rounds = Number(Deno.args[0] ?? 50);
const drain = 2, slack = 0.5;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const pick = <T>(values: readonly T[]) => values[Math.floor(Math.random() * values.length)];

const cwd = await Deno.makeTempDir({ prefix: "weir-exit-" });
await Deno.mkdir(`${cwd}/files`);
using big = await Deno.create(`${cwd}/files/big`);
await big.truncate(1_073_741_824);
const certificate = find("openssl") === undefined ? null : await makeCertificate(cwd, "weir");

/** What clients do until the server goes; `n` is a client's number. */
type Ask = (path: string, init?: RequestInit) => Promise<Response>;
const loads: Record<string, (ask: Ask, n: number) => Promise<void>> = {
  async stream(ask, n) {
    const format = pick(["text", "ndjson", "sse"]);
    await (await ask(`/concurrent_stream?task=a:50:10&task=b:${n + 1}:30&format=${format}`)).text();
  },
  async follow(ask, n) {
    await (await ask(`/channels/c${n % 3}?format=${pick(["ndjson", "sse"])}`)).text();
  },
  async run(ask, n) {
    await (await ask(`/concurrent_stream?task=a:200:10&run=r${n % 5}`)).text();
  },
  async post(ask, n) {
    await (await ask(`/channels/c${n % 3}`, { method: "POST", body: "x".repeat(1_000 * n) })).text();
  },
  async steps(ask) {
    await (await ask("/stream?count=5&interval=20")).text();
  },
  async download(ask) {
    const reader = (await ask("/files/big")).body!.getReader();
    for (let chunks = 0; chunks < 200 && !(await reader.read()).done; chunks++);
    await reader.cancel();
  },
  async events(ask, n) {
    await (await ask(`/events?channel=c${n % 3}&sensor=cpu&server&format=ndjson`)).text();
  },
};

/** A socket that sends what is still in work when the server goes. */
function socket(port: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?delay=${pick([0, 50, 5_000])}`);
  socket.onopen = () => {
    for (let n = 0; n < 5; n++) socket.send("hello");
  };
  socket.onmessage = () => socket.send("again");
  socket.onerror = socket.onclose = () => resolve();
  return promise;
}

/** Ends a process in a thread of its own, as this one has the clients to run; posts the ms until it was gone. */
const ending = `onmessage = ({ data: pid }) => {
  const began = performance.now();
  Deno.kill(pid, "SIGTERM");
  const timer = setInterval(() => {
    try {
      if (!/\\) Z /.test(Deno.readTextFileSync("/proc/" + pid + "/stat"))) return;
    } catch {
      // It has been waited for.
    }
    clearInterval(timer);
    postMessage(performance.now() - began);
  }, 5);
}`;
const ender = new Worker(`data:text/javascript,${encodeURIComponent(ending)}`, { type: "module" });

const seconds: number[] = [];
const faults: string[] = [];
for (let round = 0; round < rounds; round++) {
  const secure = round % 2 === 1 ? certificate : null;
  const flags = secure === null ? [] : ["--cert", secure.cert, "--key", secure.key];
  await using server = await start(["--files", `${cwd}/files`, "--drain", String(drain), ...flags], { cwd });
  using client = secure === null ? Deno.createHttpClient({}) : trusting(secure);
  let over = false;
  const leaving = new AbortController();
  const ask: Ask = (path, init) =>
    fetch(server.origin + path, { ...init, client, signal: leaving.signal } as RequestInit);
  const clients = Object.values(loads).flatMap((load) =>
    Array.from({ length: 6 }, async (_, n) => {
      // Not in step with the others, so that the signal finds each in any state.
      await pause(Math.random() * 300);
      while (!over) await load(ask, n).catch(() => pause(5));
    })
  );
  if (secure === null) {
    clients.push(...Array.from({ length: 10 }, async () => {
      while (!over) await socket(server.port).then(() => pause(5));
    }));
  }
  // Every third time somebody reads nothing, and holds the drain up to its end.
  const stalled = round % 3 === 0 ? [1, 2].map(() => ask("/files/big").catch(() => null)) : [];
  const moment = Math.random() * 1_500;
  await pause(moment);
  const gone = new Promise<number>((resolve) => ender.onmessage = ({ data }) => resolve(data / 1_000));
  ender.postMessage(server.pid);
  const [took, { code }] = await Promise.all([gone, server.status]);
  over = true;
  leaving.abort();
  await Promise.all([...clients, ...stalled]);
  seconds.push(took);
  const what = `round ${round}${secure === null ? "" : " (TLS)"}, after ${moment.toFixed()} ms`;
  if (code !== 0) faults.push(`${what}: exit code ${code}: ${server.stderr()}`);
  if (took > drain + slack) faults.push(`${what}: took ${took.toFixed(2)} s`);
  const odd = server.stderr().split("\n").filter((line) => !/^$|was cut|^drained for/.test(line));
  if (odd.length > 0) faults.push(`${what}: printed ${odd[0]}`);
}
await Deno.remove(cwd, { recursive: true });

seconds.sort((a, b) => a - b);
const [median, last] = [seconds[seconds.length >> 1], seconds.at(-1)!];
console.log(
  `${rounds} signals: exit after ${median.toFixed(2)} s at the median, ${last.toFixed(2)} s at most, ` +
    `--drain ${drain}`,
);
for (const fault of faults) console.log(fault);
console.log(faults.length === 0 ? "all exited with 0 in time" : `${faults.length} faults`);
Deno.exit(faults.length === 0 ? 0 : 1);
