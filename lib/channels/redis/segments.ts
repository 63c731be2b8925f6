import type { MemoryChannel } from "../memory_channel.ts";
import type { Entry } from "./feed.ts";
import { idOf, type Place, placeOf } from "./place.ts";
import { append, type RedisChannel } from "./redis_channel.ts";

/** Bytes of memory that a segment is to have, about, and events that it has at most. */
const segmentBytes = 262_144;
const maxCount = 2_000;
/** Bytes of a reply of Redis. */
const replyBytes = 16_777_216;
/** Bytes of memory that a segment takes beside its events, about. */
const overhead = 2_000;
/** Bytes of memory that all segments take. */
const maxBytes = 33_554_432;

/** What follows a place. */
export interface Following {
  /** Place of the first event after it; where there is none, of the last event that there was. */
  readonly at: Place;
  /** The first event and those after it, of one epoch and without a hole: in memory, until others need the room. Null: nothing. */
  readonly segment: MemoryChannel | null;
  /** Whether there most likely is more after it. */
  readonly isFull: boolean;
}

const unbounded = { channelEvents: Infinity, channelBytes: Infinity };

/**
 * What is read from Redis for subscribers that are behind the window: some of a channel's events at a time. Subscribers that
 * come back to the same place share it.
 */
export class Segments {
  /** What is there or being read, by channel and place; the first read first. */
  readonly #known = new Map<string, Promise<Following>>();
  readonly #kept = new Map<string, { segment: MemoryChannel; bytes: number }>();
  #bytes = 0;

  /** What follows a place, or is the oldest. */
  after(channel: RedisChannel, place: Place | null): Promise<Following> {
    const from = place === null ? "-" : `(${idOf(place)}`;
    const key = `${channel.keys.stream} ${from}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const reading = this.#read(channel, from);
    this.#known.set(key, reading);
    reading.then(({ segment }) => {
      // Where there is nothing there soon may be, and the oldest is soon another.
      if (segment === null || place === null) this.#known.delete(key);
      else this.#keep(key, segment);
    }, () => this.#known.delete(key));
    return reading;
  }

  async #read(channel: RedisChannel, from: string): Promise<Following> {
    for (;;) {
      const { largest, typical } = channel;
      const fitting = Math.min(segmentBytes / (typical ?? largest), replyBytes / largest, maxCount);
      const count = Math.max(1, Math.floor(fitting));
      const range = ["XRANGE", channel.keys.stream, from, "+", "COUNT", String(count)];
      const entries = await channel.connection.send(range) as Entry[];
      if (entries.length > 0) return { ...this.#load(channel, entries), isFull: entries.length === count };
      const { last, isAll } = await channel.look(from);
      if (isAll) return { at: last, segment: null, isFull: false };
    }
  }

  #load(channel: RedisChannel, entries: Entry[]): { at: Place; segment: MemoryChannel } {
    const at = placeOf(entries[0][0]);
    if (at === null) throw new Error(`${channel.keys.stream} is not a channel's stream: ${entries[0][0]}`);
    const segment = channel.segment({ ...at, number: at.number - 1 }, unbounded);
    append(segment, entries);
    channel.typical = segment.size / segment.history.length;
    return { at, segment };
  }

  #keep(key: string, segment: MemoryChannel): void {
    const bytes = segment.size + overhead;
    this.#kept.set(key, { segment, bytes });
    this.#bytes += bytes;
    for (const [oldest, { segment, bytes }] of this.#kept) {
      if (this.#bytes <= maxBytes || oldest === key) break;
      this.#known.delete(oldest);
      this.#kept.delete(oldest);
      this.#bytes -= bytes;
      // Who still reads it asks again.
      segment.trim(0);
    }
  }
}
