/**
 * Two processes of Weir, one port and one Redis (append-only), each behind a TCP proxy of its own. Publishers with
 * Idempotency-Keys and readers with cursors move from one process to the other at random, while Redis and each process are
 * killed ten times, Redis is stopped for 20 s, and a proxy holds everything back for 20 s. Each reader gets each acknowledged
 * publish once and in order, or a gap that counts right, and only where the history reaches back no further. What Redis had not
 * acknowledged when it was killed may come again, behind a gap. Without `always` for FSYNC (Redis' appendfsync) a disk that is busy
 * makes Redis postpone its writes, of which a kill then loses some that were acknowledged: they are counted.
 *
 *     deno run --allow-all tests/torture/redis_torture.ts [RECONNECTS] [KILLS] [STOPPED SECONDS] [SEED] [FSYNC]
 */
import { seeded } from "../support/log_writer.ts";
import { type ServerProcess, start } from "../support/process.ts";
import { TcpProxy } from "../support/proxy.ts";
import { RedisServer } from "../support/redis.ts";

const [reconnects = 1_000, kills = 10, stoppedSeconds = 20, seed = Date.now()] = Deno.args.slice(0, 4).map(
  Number,
);
const fsync = Deno.args[4];
const readersEach = 8;
const history = 2_000;
/** Time within which a publish has to be answered, in ms: three seconds, and as much as a busy machine takes. */
const answerMs = 6_000;

const random = seeded(seed);
const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
console.log(`seed ${seed}`);

const totals = {
  reconnects: 0,
  gaps: 0,
  lost: 0,
  unneeded: 0,
  undone: 0,
  lostByRedis: 0,
  refused: 0,
  repeated: 0,
  slowest: 0,
};
let over = false;

function fail(what: string): never {
  console.error(`FAILED: ${what}`);
  for (const { process } of weirs) {
    console.error(process.stderr().split("\n").slice(-20).join("\n"));
    process.kill("SIGKILL");
  }
  void redis.kill();
  Deno.exit(1);
}

const cwd = await Deno.makeTempDir({ prefix: "weir-redis-" });
const redis = await RedisServer.start(...(fsync ? ["--appendfsync", fsync] : []));

/** Whether Redis itself has a number of a channel. */
async function isInRedis(channel: string, number: number): Promise<boolean> {
  const args = ["--raw", "-p", String(redis.port), "XRANGE", `weir:channel:${channel}`, "-", "+"];
  const { stdout } = await new Deno.Command("redis-cli", { args }).output();
  return new TextDecoder().decode(stdout).split("\n").includes(String(number));
}

/** A process of Weir that is started again on its port whenever it was killed. */
class Weir {
  process!: ServerProcess;
  readonly proxy = new TcpProxy(redis.port);

  async start(): Promise<void> {
    const url = `redis://127.0.0.1:${this.proxy.port}`;
    const flags = ["--redis", url, "--history", String(history)];
    this.process = await start(flags, { cwd, port: this.process?.port });
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.status;
    await pause(random() * 500);
    // As a supervisor does, while Redis may be away.
    for (;;) {
      try {
        return await this.start();
      } catch {
        await pause(100);
      }
    }
  }
}

const weirs = [new Weir(), new Weir()];
for (const weir of weirs) await weir.start();

/** A channel of numbers from 1 on, published one post after the other. */
class Channel {
  /** The last number that was acknowledged. */
  acknowledged = 0;
  /** First numbers of posts that were repeated: Redis may have lost what it had not acknowledged. */
  readonly repeated = new Set<number>();

  constructor(readonly name: string, readonly most: number) {}

  async publish(): Promise<void> {
    while (!over) {
      const first = this.acknowledged + 1;
      const last = first + Math.floor(random() * this.most);
      const body = Array.from({ length: last - first + 1 }, (_, i) => first + i).join("\n");
      for (let attempt = 0; !await this.#post(body, `${this.name}-${first}`); attempt++) {
        if (attempt === 0) totals.repeated++;
        this.repeated.add(first);
        await pause(50);
      }
      this.acknowledged = last;
      if (random() < 0.5) await pause(random() * 10);
    }
  }

  /** Whether it was acknowledged. */
  async #post(body: string, key: string): Promise<boolean> {
    const began = performance.now();
    try {
      const response = await fetch(`${pick(weirs).process.origin}/channels/${this.name}`, {
        method: "POST",
        headers: { "Content-Type": "application/x-ndjson", "Idempotency-Key": key },
        body,
      });
      const answer = await response.json();
      const ms = performance.now() - began;
      totals.slowest = Math.max(totals.slowest, ms);
      if (ms > answerMs) fail(`a publish was answered ${response.status} after ${Math.round(ms)} ms`);
      if (response.status === 201) return true;
      totals.refused++;
      const { published } = answer;
      if (response.status !== 503 || published !== false && published !== null) {
        fail(`a publish was answered ${response.status} ${JSON.stringify(answer)}`);
      }
      if (!response.headers.has("retry-after")) fail("a 503 has no Retry-After");
    } catch (error) {
      // The process was killed.
      if (!(error instanceof TypeError)) throw error;
    }
    return false;
  }
}

interface Sent {
  id?: string;
  event?: string;
  // deno-lint-ignore no-explicit-any -- what the server says
  data: any;
}

class Reader {
  #id = "0";
  #last = 0;
  /** Numbers of the gap that came last. */
  #gap: { lost: number | null } | null = null;

  constructor(readonly channel: Channel) {}

  get done(): boolean {
    return over && this.#last === this.channel.acknowledged;
  }

  get state(): string {
    return `${this.channel.name} at ${this.#last} of ${this.channel.acknowledged}, ${this.#id}`;
  }

  async follow(): Promise<void> {
    while (!this.done) {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), 100 + random() * 2_000);
      try {
        await this.#read(controller.signal);
      } catch (error) {
        const isCut = error instanceof TypeError || (error as Error).name === "AbortError";
        if (!isCut) fail(`${this.state}: ${(error as Error).stack}`);
      }
      clearTimeout(timer);
      controller.abort();
      totals.reconnects++;
      // Some stay away for longer than the history reaches back.
      await pause(random() < 0.03 ? random() * 20_000 : random() * 100);
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { origin } = pick(weirs).process;
    const response = await fetch(`${origin}/channels/${this.channel.name}?format=ndjson&after=${this.#id}`, {
      signal,
    });
    if (!response.ok) {
      const text = await response.text();
      if (response.status !== 503) throw new Error(`a reader was answered ${response.status} ${text}`);
      return;
    }
    this.#gap = null;
    let rest = "";
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    signal.addEventListener("abort", () => void reader.cancel().catch(() => {}));
    for (let read; !(read = await reader.read()).done && !this.done;) {
      const lines = (rest + read.value).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#take(JSON.parse(line));
    }
  }

  #take({ id, event, data }: Sent): void {
    if (event === "gap") {
      totals.gaps++;
      this.#gap = data;
    } else if (event === undefined) this.#number(data);
    if (id !== undefined) this.#id = id;
  }

  /** What is still to be there is not: Redis may have postponed a write, and lost it when it was killed. */
  #miss(from: number, lost: number, isUncounted: boolean): void {
    const { name, acknowledged } = this.channel;
    const what = `${name}: ${lost} from ${from} on are lost, ${acknowledged} are acknowledged`;
    if (fsync === "always" || !isUncounted) fail(what);
    totals.lostByRedis += lost;
    void isInRedis(name, from).then((isThere) => isThere && fail(`${what}, and Redis has them`));
  }

  #number(n: number): void {
    const expected = this.#last + 1;
    const gap = this.#gap;
    this.#gap = null;
    const lost = n - expected;
    if (lost < 0 && gap?.lost === null && this.channel.repeated.has(n)) {
      totals.undone++;
      this.#last = n;
      return;
    }
    if (gap === null ? lost !== 0 : lost < 0 || gap.lost !== null && gap.lost !== lost) {
      throw new Error(`${n} came where ${expected} was expected, with the gap ${JSON.stringify(gap)}`);
    }
    if (lost > 0 && expected > this.channel.acknowledged - history) {
      this.#miss(expected, lost, gap!.lost === null);
    }
    if (gap !== null && lost === 0) totals.unneeded++;
    totals.lost += lost;
    this.#last = n;
  }
}

const channels = [new Channel("one", 1), new Channel("few", 5), new Channel("many", 50)];
const readers = channels.flatMap((channel) => Array.from({ length: readersEach }, () => new Reader(channel)));
const following = Promise.all(readers.map((reader) => reader.follow()));
const publishing = Promise.all(channels.map((channel) => channel.publish()));

const troubles: Record<string, () => Promise<unknown>> = {
  "Redis is killed": () => redis.kill().then(() => pause(random() * 1_000)).then(() => redis.start()),
  "the first process is killed": () => weirs[0].kill(),
  "the second process is killed": () => weirs[1].kill(),
  "Redis is stopped": async () => {
    await redis.kill("SIGSTOP");
    await pause(stoppedSeconds * 1_000);
    await redis.kill("SIGCONT");
  },
  "a proxy is silent": async () => {
    const { proxy } = pick(weirs);
    proxy.stall();
    await pause(stoppedSeconds * 1_000);
    proxy.resume();
  },
};
const names = Object.keys(troubles);
const plan = [
  ...names.slice(0, 3).flatMap((name) => Array.from({ length: kills }, () => name)),
  ...stoppedSeconds > 0 ? names.slice(3) : [],
].map((name) => ({ name, at: random() })).sort((a, b) => a.at - b.at);

await pause(1_000);
for (const { name } of plan) {
  const at = channels.map(({ acknowledged }) => acknowledged).join(", ");
  console.log(`${totals.reconnects} reconnects, ${at} published: ${name}`);
  await troubles[name]();
  await pause(500 + random() * 2_000);
}
while (totals.reconnects < reconnects) await pause(100);
over = true;
const giveUp = setTimeout(() => {
  fail(`stuck: ${readers.filter(({ done }) => !done).map(({ state }) => state).join("; ")}`);
}, 60_000);
await publishing;
await following;
clearTimeout(giveUp);

for (const { process, proxy } of weirs) {
  await process[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
}
await redis[Symbol.asyncDispose]();
await Deno.remove(cwd, { recursive: true });
console.log(
  `${readers.length} readers, ${totals.reconnects} reconnects, ${
    channels.map(({ acknowledged }) => acknowledged).join(" + ")
  } events; ${totals.refused} publishes refused, ${totals.repeated} repeated, the slowest answer ${
    Math.round(totals.slowest)
  } ms; ${totals.gaps} gaps, of ${totals.lost} events, ${totals.unneeded} of them of none; ` +
    `${totals.undone} times a reader had what Redis lost before it acknowledged it, ${totals.lostByRedis} events it had ` +
    "acknowledged and lost itself; nothing else lost, nothing else twice",
);
