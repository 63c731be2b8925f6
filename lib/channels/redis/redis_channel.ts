import type { Limits } from "../../limits.ts";
import { JsonText } from "../../stream/event.ts";
import { byteLength } from "../../stream/json.ts";
import { MemoryChannel } from "../memory_channel.ts";
import { type RedisConnection, renewedSeconds } from "./connection.ts";
import type { Entry, Follower } from "./feed.ts";
import type { ChannelKeys } from "./keys.ts";
import { RedisAway } from "./link.ts";
import { idOf, isBefore, type Place, placeOf } from "./place.ts";
import { openScript } from "./scripts.ts";

/** Bounds of what a process has of a channel in memory. */
export type WindowLimits = Pick<Limits, "channelEvents" | "channelBytes">;

/**
 * What a process has of a channel that it follows: the last events, in memory, for all its subscribers. They are of one epoch
 * and without a hole; where that cannot be, a new window begins, and who read the old one looks in Redis for what is between.
 */
export class RedisChannel implements Follower {
  /** The last events. */
  window: MemoryChannel;
  /** No event that has been seen has more bytes. */
  largest = 0;
  /** Bytes of memory that an event takes, on the average of those that were read last. */
  typical: number | null = null;
  /** Subscribers now. */
  users = 0;
  /** Resolves when it is followed: Redis is waited for. */
  readonly opened: Promise<void>;
  readonly #closed = new AbortController();

  constructor(
    readonly connection: RedisConnection,
    readonly keys: ChannelKeys,
    readonly limits: WindowLimits,
    readonly grown: () => void,
  ) {
    this.window = this.segment({ epoch: "0", number: 0 });
    this.opened = this.#open();
    // Who waits for it hears of a failure.
    this.opened.catch(() => {});
  }

  get lastId(): string {
    return idOf(this.last);
  }

  /** The last event of the window. */
  get last(): Place {
    const { history: { epoch, last } } = this.window;
    return { epoch, number: last };
  }

  /** Events in memory, of which the first is the one after `before`. */
  segment(before: Place, limits: WindowLimits = this.limits): MemoryChannel {
    const segment = new MemoryChannel(limits, this.keys.name, before.epoch);
    segment.history.last = before.number;
    return segment;
  }

  take(entries: Entry[]): void {
    for (let i = 0; i < entries.length;) {
      const place = placeOf(entries[i][0]);
      if (place === null || !isBefore(this.last, place)) {
        i++;
        continue;
      }
      if (place.epoch !== this.last.epoch || place.number !== this.last.number + 1) {
        this.#replace({ ...place, number: place.number - 1 });
      }
      i += append(this.window, entries, i);
    }
    for (const [, [, json]] of entries) this.largest = Math.max(this.largest, json.length);
    this.grown();
  }

  /**
   * Whether the window has what follows a place: `isKnown` is a place that Redis has had, which the window may yet have to
   * reach.
   */
  has({ epoch, number }: Place, isKnown: boolean): boolean {
    const { history } = this.window;
    return epoch === history.epoch && number >= history.oldest - 1 && (isKnown || number <= history.last);
  }

  /**
   * Looks where the stream ends in Redis; `isAll`: there is nothing from a start of XRANGE on. The window is there afterwards,
   * or on its way there.
   */
  async look(from = "-"): Promise<{ last: Place; isAll: boolean }> {
    const { stream, run } = this.keys;
    const args = [String(renewedSeconds), from];
    const found = await this.connection.run(openScript, [stream, run], args);
    const [id, more, largest] = found as [string, number, number];
    this.largest = Math.max(this.largest, largest);
    const last = placeOf(id)!;
    if (last.epoch !== this.last.epoch || last.number < this.last.number) this.#replace(last);
    return { last, isAll: more === 0 };
  }

  async restart(): Promise<void> {
    await this.look().catch((error) => {
      // What is refused for this channel alone must not keep the others from being read.
      if (error instanceof RedisAway) throw error;
      this.connection.report(`reading ${this.keys.stream} failed`, error);
    });
  }

  renew(): void {
    if (this.last.number > 0) return;
    for (const key of [this.keys.stream, this.keys.run]) {
      this.connection.send(["EXPIRE", key, String(renewedSeconds), "GT"]).catch(() => {});
    }
  }

  /** It is no longer followed. */
  close(): void {
    this.#closed.abort();
    this.connection.unfollow(this.keys.stream, this);
    this.window.waves.close();
  }

  async #open(): Promise<void> {
    const { signal } = this.#closed;
    for (let isOpen = false; !isOpen;) {
      isOpen = await this.look().then(() => true, (error) => {
        if (!(error instanceof RedisAway)) throw error;
        return false;
      });
      if (!isOpen) await this.connection.back(signal);
    }
    if (!signal.aborted) this.connection.follow(this.keys.stream, this);
  }

  #replace(before: Place): void {
    const old = this.window;
    this.window = this.segment(before);
    // Its subscribers find nothing more in it.
    old.waves.announce();
  }
}

/** Adds to a segment the entries from `from` on that follow it without a hole; returns how many. */
export function append(segment: MemoryChannel, entries: Entry[], from = 0): number {
  const { epoch, last } = segment.history;
  const idAt = (index: number) => `${epoch}-${last + 1 + index - from}`;
  let end = entries.length;
  // They are in order, so where the last one is in its place all are.
  if (entries[end - 1][0] !== idAt(end - 1)) { for (end = from; entries[end][0] === idAt(end);) end++; }
  const values: JsonText[] = [];
  const sizes: number[] = [];
  for (let i = from; i < end; i++) {
    const json = entries[i][1][1];
    values.push(new JsonText(json));
    sizes.push(byteLength(json));
  }
  segment.addAll(values, sizes);
  return end - from;
}
