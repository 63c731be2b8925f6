/**
 * Readers of `/events` with every kind of source at once, whose connections are cut at random instants while each source has
 * events as fast as it can: each gets every event of every source exactly once and in order, or inside a gap of that source.
 *
 *     deno run --allow-all tests/torture/events_torture.ts [CUTS]
 */
import { share } from "../../lib/runs/share.ts";
import { weirRoutes as routes } from "../../handlers/routes.ts";
import { sleep } from "../../lib/stream/clock.ts";
import { valueOf } from "../../lib/channels/value.ts";
import { TcpProxy } from "../support/proxy.ts";
import { serve, until } from "../support/server.ts";
import { route } from "../support/wire.ts";

const wanted = Number(Deno.args[0] ?? 1_000);
const readers = 30;
const stays = new AbortController().signal;
const numbered = ["channel:t", "channel:u", "log:t.log", "sensor:n", "run:count"];
const query = numbered.map((source) => source.replace(":", "=")).join("&") + "&server";

/** The last number of each source, and whether there will be no more. */
const last = new Map(numbered.map((source) => [source, -1]));
let over = false;

const count = route("/count", (_request, context) =>
  share(context, "count", async function* ({ signal }) {
    for (let n = 0; !over || n === 0; n++) {
      yield n;
      last.set("run:count", n);
      // Until every reader has the first.
      if (n === 0) await until(() => loaded);
      else if (n % 5 === 0) await sleep(1, signal);
    }
  }));

const sensor = { id: "n", unit: "", description: "", interval: 60_000, push: true } as const;
await using server = await serve({
  routes: [...routes, count],
  declared: [sensor],
  limits: { channelEvents: 400 },
});
await using proxy = new TcpProxy(server.port);
const { store, app } = server;
const log = `${server.folder}/logs/t.log`;
await Deno.writeTextFile(log, "");
let loaded = false;

const make: Record<string, (n: number) => unknown> = {
  "channel:t": (n) => store.publish("t", [valueOf(n)]),
  "channel:u": (n) => store.publish("u", [valueOf(n)]),
  "log:t.log": (n) => Deno.writeTextFile(log, `${n}\n`, { append: true }),
  "sensor:n": (n) => app.sensors.pusher("n")(n),
};

/** One more event of each source; the run has its own. */
async function more(): Promise<void> {
  for (const [source, next] of Object.entries(make)) {
    const n = last.get(source)! + 1;
    await next(n);
    last.set(source, n);
  }
}

const totals = { events: 0, gaps: 0, cuts: 0 };

interface Sent {
  id?: string;
  event?: string;
  // deno-lint-ignore no-explicit-any -- what the sources say
  data: any;
}

/** Whole records, and what is left of the text. */
function parse(text: string, isSse: boolean): { records: Sent[]; rest: string } {
  const parts = text.split(isSse ? /\n\r?\n/ : "\n");
  const rest = parts.pop()!;
  if (!isSse) return { records: parts.map((line) => JSON.parse(line)), rest };
  const records = parts.map((part) => {
    const fields = new Map(part.split("\n").map((line) => line.split(/: (.*)/s) as [string, string]));
    const data = fields.get("data");
    return { id: fields.get("id"), event: fields.get("event"), data: data && JSON.parse(data) };
  });
  return { records, rest };
}

class Reader {
  readonly #at = new Map<string, number>();
  readonly #gaps = new Set<string>();
  readonly #channels = new Set<string>();
  #id: string | undefined;

  constructor(readonly format: "sse" | "ndjson") {}

  has(source: string, n: number): boolean {
    return (this.#at.get(source) ?? -1) >= n;
  }

  get done(): boolean {
    return over && numbered.every((source) => this.has(source, last.get(source)!)) &&
      [...this.#channels].sort().join() === store.list().map(({ name }) => name).join();
  }

  /** Follows the sources until it has all of them, over as many connections as it takes. */
  async follow(): Promise<void> {
    while (!this.done) {
      const after = this.#id === undefined ? "" : `&after=${this.#id}`;
      try {
        const response = await fetch(`${proxy.origin}/events?${query}&format=${this.format}${after}`);
        if (after !== "") totals.cuts++;
        let rest = "";
        for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
          const { records, rest: left } = parse(rest + text, this.format === "sse");
          rest = left;
          for (const record of records) this.#take(record);
          if (this.done) break;
        }
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    }
  }

  #take({ id, event, data: value }: Sent): void {
    if (id !== undefined) this.#id = id;
    if (value === undefined || value === null || event === "ping" || event === "state") return;
    const { source, data } = value;
    if (event === "gap") {
      totals.gaps++;
      if (data.lost === null) this.#gaps.add(source);
      else this.#at.set(source, this.#at.get(source)! + data.lost);
    } else if (event === "lists") {
      this.#channels.clear();
      for (const { name } of data.channels) this.#channels.add(name);
    } else if (event === "changes") {
      for (const { name } of data.channels?.added ?? []) this.#channels.add(name);
      for (const name of data.channels?.removed ?? []) this.#channels.delete(name);
    } else if (event === undefined) this.#number(source, Number(data.value ?? data));
  }

  #number(source: string, n: number): void {
    const expected = (this.#at.get(source) ?? -1) + 1;
    // A gap without a count may be of any number of events, also of none.
    const good = this.#gaps.delete(source) ? n >= expected : n === expected;
    if (!good) throw new Error(`${source}: ${n} came where ${expected} was expected`);
    this.#at.set(source, n);
    totals.events++;
  }
}

const all = Array.from({ length: readers }, (_, n) => new Reader(n % 2 === 0 ? "sse" : "ndjson"));
const following = Promise.all(all.map((reader) => reader.follow()));
await until(() => app.limits.streams.used === readers);
await (await fetch(`${server.origin}/count`)).body!.cancel();
await more();
// What comes before a reader has begun it does not miss: until all have begun, nothing is cut.
await until(() => all.every((reader) => numbered.every((source) => reader.has(source, 0))));
loaded = true;

let rotations = 0;
for (let at = 0; totals.cuts < wanted; at++) {
  const end = performance.now() + 50 + Math.random() * 200;
  while (performance.now() < end) {
    await more();
    if (Math.random() < 0.2) await sleep(1, stays);
  }
  if (at % 7 === 0) await Deno.rename(log, `${log}.${++rotations}`).then(() => Deno.writeTextFile(log, ""));
  if (at % 5 === 0) store.publish(`other${at}`, [valueOf(0)]);
  proxy.cut();
  // Some stay away for longer than what is retained.
  if (at % 9 === 0) {
    for (let n = 0; n < 600; n++) await more();
  }
}
over = true;
await sleep(50, stays);
await more();
await following;
console.log(
  `${readers} readers, ${totals.cuts} cuts, ${totals.events} events of ` +
    `${numbered.length} sources, ${totals.gaps} gaps, ${rotations} rotations, ` +
    `${store.list().length} channels in each list: none lost, none twice`,
);
