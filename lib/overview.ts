import { newEpoch } from "./channels/channel_history.ts";
import { MemoryChannel } from "./channels/memory_channel.ts";
import { Subscriber } from "./channels/subscriber.ts";
import { valueOf } from "./channels/value.ts";
import { type Clock, endOfTurn, processClock, sleep } from "./stream/clock.ts";
import type { Report } from "./stream/errors.ts";
import type { Source } from "./stream/source.ts";

/** Time between two looks, in ms. A look that takes long is followed by a rest of twenty times as long. */
const lookMs = 1_000;
const restFactor = 20;
/** Turns of the event loop that readers have to hear of a drain. */
const drainTurns = 10;

/** What has changed is retained for this many events: a reader that has missed more gets everything anew. */
const retained = { channelEvents: 100, channelBytes: 1_048_576 };

/** One entry of a list: what is not its name is what else of it may change. */
export interface Listed {
  /** Unique in its list. */
  readonly name: string;
}

/** What there is of a server. */
export interface Seen {
  /** Numbers of what is open. */
  readonly counts: Readonly<Record<string, number | boolean>>;
  /** Lists, by what is in them. */
  readonly lists: Readonly<Record<string, readonly Listed[]>>;
}

/**
 * A server as others watch it: a reader gets `counts` and `lists`, then `counts` whenever one has changed and `changes` of the
 * lists (`{LIST: {"added": [ENTRY, …], "removed": [NAME, …]}}`; a changed entry is added again). It is looked at once a second
 * while somebody reads, and once for all of them.
 */
export class Overview {
  readonly #channel = new MemoryChannel(retained, "server", newEpoch());
  readonly #host = { open: () => this.#channel, left: () => {} };
  #seen: Seen | null = null;
  #readers = 0;
  #looking: Promise<void> | null = null;
  #stop = new AbortController();

  /** `look` gives what there is now. */
  constructor(
    readonly look: () => Promise<Seen>,
    readonly report: Report,
    readonly clock: Clock = processClock,
  ) {}

  /** From what there is now on, or all that has changed since a cursor. */
  readonly source: Source = (wanted) => this.#follow(wanted);

  async *#follow({ after, format, signal }: Parameters<Source>[0]): AsyncGenerator<unknown> {
    if (this.#readers++ === 0) {
      this.#stop = new AbortController();
      this.#looking = this.look().then((seen) => this.#tell(seen));
      void this.#watch(this.#stop.signal);
    }
    try {
      await this.#looking;
      const { history } = this.#channel;
      const next = history.after(after);
      let start = after;
      if (after === undefined || next < history.oldest) {
        start = history.id();
        yield { event: "lists", data: this.#seen!.lists };
        yield { id: start, event: "counts", data: this.#seen!.counts };
      }
      yield* new Subscriber({ after: start, format, signal }, this.#host, "server");
    } finally {
      if (--this.#readers === 0) this.#stop.abort();
    }
  }

  /** Whether anybody reads it. */
  get isRead(): boolean {
    return this.#readers > 0;
  }

  /** Tells the readers that the server drains, as far as they have a few turns for it: then their streams end. */
  async drain(): Promise<void> {
    if (this.#seen === null) return;
    this.#tell({ ...this.#seen, counts: { ...this.#seen.counts, draining: true } });
    for (let turn = 0; turn < drainTurns; turn++) await new Promise<void>(endOfTurn);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    let ms = 0;
    let failing = false;
    while (await sleep(Math.max(lookMs, ms * restFactor), signal, this.clock).then(() => true, () => false)) {
      const start = this.clock.now();
      try {
        this.#tell(await this.look());
        failing = false;
      } catch (error) {
        if (!failing) this.report("looking at the server failed", error);
        failing = true;
      }
      ms = this.clock.now() - start;
    }
  }

  /** Publishes what is not as it was. */
  #tell(now: Seen): void {
    const before = this.#seen;
    this.#seen = now;
    if (before === null) return;
    const changes = Object.entries(now.lists).map(([name, list]) => [name, changed(before.lists[name], list)])
      .filter(([, change]) => change !== null);
    if (changes.length > 0) this.#publish("changes", Object.fromEntries(changes));
    if (JSON.stringify(now.counts) !== JSON.stringify(before.counts)) this.#publish("counts", now.counts);
  }

  #publish(event: string, data: unknown): void {
    const value = valueOf(data);
    this.#channel.add(value, value.json.length, event);
  }
}

/** What is new in a list or not as it was, and the names that are no longer in it; null when nothing is. */
function changed(
  before: readonly Listed[],
  now: readonly Listed[],
): { added: Listed[]; removed: string[] } | null {
  const known = new Map(before.map((entry) => [entry.name, JSON.stringify(entry)]));
  const added = now.filter((entry) => known.get(entry.name) !== JSON.stringify(entry));
  const names = new Set(now.map(({ name }) => name));
  const removed = before.filter(({ name }) => !names.has(name)).map(({ name }) => name);
  return added.length + removed.length > 0 ? { added, removed } : null;
}
