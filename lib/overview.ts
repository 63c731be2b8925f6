import { newEpoch } from "./channels/channel_history.ts";
import { MemoryChannel } from "./channels/memory_channel.ts";
import { Subscriber } from "./channels/subscriber.ts";
import { valueOf } from "./channels/value.ts";
import { type Clock, endOfTurn, processClock, sleep } from "./stream/clock.ts";
import { HttpError, type Report } from "./stream/errors.ts";
import type { Source } from "./stream/source.ts";

/** Time between two looks, in ms. Lists that take long are followed by a rest of twenty times as long. */
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

/** Numbers of what is open. */
export type Counts = Readonly<Record<string, number | boolean>>;

/** Looks at one list. */
export type Look = () => Promise<readonly Listed[]>;

/**
 * A server as others watch it: a reader gets `lists` and `counts`, then `counts` whenever one has changed and `changes` of the
 * lists (`{LIST: {"added": [ENTRY, …], "removed": [NAME, …]}}`; a changed entry is added again). It is looked at once a second
 * while somebody reads, and once for all of them. A list that cannot be had stays as it was; where it never could, it is left
 * out, and comes as a change.
 */
export class Overview {
  readonly #channel = new MemoryChannel(retained, "server", newEpoch());
  readonly #host = { open: () => this.#channel, left: () => {} };
  #counts: Counts | null = null;
  readonly #lists: Record<string, readonly Listed[]> = {};
  #isFailing = false;
  #readers = 0;
  /** The first look for those who read now. */
  #first: Promise<number> | null = null;
  #stop = new AbortController();

  /** `counts` gives what there is now, `looks` do so for each list. */
  constructor(
    readonly counts: () => Counts,
    readonly looks: Readonly<Record<string, Look>>,
    readonly report: Report,
    readonly clock: Clock = processClock,
  ) {}

  /** From what there is now on, or all that has changed since a cursor. */
  readonly source: Source = (wanted) => this.#follow(wanted);

  async *#follow({ after, format, signal }: Parameters<Source>[0]): AsyncGenerator<unknown> {
    if (this.#readers++ === 0) {
      this.#stop = new AbortController();
      this.#tell(this.counts());
      this.#first = this.#look();
      void this.#watch(this.#first, this.#stop.signal);
    }
    try {
      await this.#first;
      const { history } = this.#channel;
      const next = history.after(after);
      let start = after;
      if (after === undefined || next < history.oldest) {
        start = history.id();
        yield { event: "lists", data: { ...this.#lists } };
        yield { id: start, event: "counts", data: this.#counts };
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
    if (this.#counts === null) return;
    this.#tell({ ...this.#counts, draining: true });
    for (let turn = 0; turn < drainTurns; turn++) await new Promise<void>(endOfTurn);
  }

  async #watch(looking: Promise<number>, signal: AbortSignal): Promise<void> {
    let [isLooking, last, due] = [true, 0, 0];
    const rest = (ms: number) => {
      // One that took long alone has waited for something: that is no work to rest from.
      due = this.clock.now() + Math.min(ms, last) * restFactor;
      [isLooking, last] = [false, ms];
    };
    void looking.then(rest);
    while (await sleep(lookMs, signal, this.clock).then(() => true, () => false)) {
      // Whatever the lists wait for.
      this.#tell(this.counts());
      if (isLooking || this.clock.now() < due) continue;
      isLooking = true;
      void this.#look().then(rest);
    }
  }

  /** Publishes what is not as it was in the lists; resolves to the ms that it took, 0 where a list could not be had. */
  async #look(): Promise<number> {
    const start = this.clock.now();
    const failures: unknown[] = [];
    const changes: Record<string, unknown> = {};
    await Promise.all(
      Object.entries(this.looks).map(async ([name, look]) => {
        try {
          const now = await look();
          const change = changed(this.#lists[name] ?? [], now);
          if (change !== null) changes[name] = change;
          this.#lists[name] = now;
        } catch (error) {
          failures.push(error);
        }
      }),
    );
    if (Object.keys(changes).length > 0) this.#publish("changes", changes);
    // Who is away is reported where that is noticed.
    const fault = failures.find((error) => !(error instanceof HttpError && error.status === 503));
    if (fault !== undefined && !this.#isFailing) this.report("looking at the server failed", fault);
    this.#isFailing = fault !== undefined;
    return failures.length > 0 ? 0 : this.clock.now() - start;
  }

  #tell(counts: Counts): void {
    const before = this.#counts;
    this.#counts = counts;
    if (before !== null && JSON.stringify(counts) !== JSON.stringify(before)) this.#publish("counts", counts);
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
