import { sleep } from "../../stream/clock.ts";
import type { Link } from "./link.ts";

/** Time that one read waits for an entry, in ms. */
const blockMs = 2_000;
/** Streams for which a pause of 1 ms follows a read, as each costs Redis 0.7 us: what comes meanwhile is read as one. */
const streamsPerMs = 100;
/** Entries of a stream in one reply. */
const count = "64";

/** An entry of a stream: its id, and its fields and values in turn. */
export type Entry = [id: string, fields: string[]];

/** What follows a stream. */
export interface Follower {
  /** Id of the last entry that it has. */
  readonly lastId: string;
  /** Called with those after it. */
  take(entries: Entry[]): void;
  /** Looks again where the stream ends, as there is a new connection: Redis may have lost some of it. */
  restart?(): Promise<void>;
  /** Called now and then, for what lives only as long as it is renewed. */
  renew?(): void;
}

/** Follows any number of streams by one connection, with one read after the other over all of them. */
export class Feed {
  readonly #followers = new Map<string, Follower>();

  /** What is followed. */
  get followers(): Iterable<Follower> {
    return this.#followers.values();
  }

  /** Follows a stream from the next read on. */
  add(key: string, follower: Follower): void {
    this.#followers.set(key, follower);
  }

  /** Ends that; what has already been read is dropped. */
  remove(key: string, follower: Follower): void {
    if (this.#followers.get(key) === follower) this.#followers.delete(key);
  }

  /** Reads until the connection ends, or the signal aborts. */
  async run(link: Link, signal: AbortSignal): Promise<never> {
    await Promise.all([...this.#followers.values()].map((follower) => follower.restart?.()));
    for (;;) {
      const followers = [...this.#followers];
      const keys = followers.map(([key]) => key);
      const ids = followers.map(([, { lastId }]) => lastId);
      const read = ["XREAD", "COUNT", count, "BLOCK", String(blockMs), "STREAMS", ...keys, ...ids];
      const streams = await link.send(read) as [key: string, entries: Entry[]][] | null;
      if (streams === null) continue;
      for (const [key, entries] of streams) this.#followers.get(key)?.take(entries);
      if (keys.length >= streamsPerMs) await sleep(keys.length / streamsPerMs, signal);
    }
  }
}
