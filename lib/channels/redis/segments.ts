import type { MemoryChannel } from "../memory_channel.ts";
import type { Entry } from "./feed.ts";
import { idOf, type Place, placeOf } from "./place.ts";
import { append, type RedisChannel } from "./redis_channel.ts";

/** Bytes of memory that a segment is to have, about, and the events of the first, whose size is yet unknown. */
const segmentBytes = 262_144;
const firstCount = 100;
const maxCount = 2_000;
/** Bytes of memory that all segments take. */
const maxBytes = 33_554_432;

/** Events in memory that were read from Redis; they may have been evicted since. */
export interface Read {
  readonly segment: MemoryChannel;
  /** Place of the first. */
  readonly first: Place;
}

const unbounded = { channelEvents: Infinity, channelBytes: Infinity };

/**
 * What is read from Redis for subscribers that are behind the window: some of a channel's events, in memory until others need
 * the room. Subscribers that come back to the same place share it.
 */
export class Segments {
  /** Those that are there or being read, by channel and place; the first read first. */
  readonly #segments = new Map<string, Promise<Read | null>>();
  readonly #kept = new Map<string, { segment: MemoryChannel; size: number }>();
  #bytes = 0;
  #count = firstCount;

  /** The events after a place, or the oldest; of one epoch and without a hole. Null when there are none. */
  after(channel: RedisChannel, place: Place | null): Promise<Read | null> {
    const from = place === null ? "-" : `(${idOf(place)}`;
    const key = `${channel.keys.stream} ${from}`;
    const known = this.#segments.get(key);
    if (known !== undefined) return known;
    const reading = this.#read(channel, from);
    this.#segments.set(key, reading);
    // Where there was nothing there soon may be, and the oldest is soon another.
    reading.then((read) => {
      if (read === null || place === null) this.#segments.delete(key);
      else this.#keep(key, read.segment);
    }, () => this.#segments.delete(key));
    return reading;
  }

  async #read(channel: RedisChannel, from: string): Promise<Read | null> {
    const count = String(this.#count);
    const range = ["XRANGE", channel.keys.stream, from, "+", "COUNT", count];
    const entries = await channel.connection.send(range) as Entry[];
    if (entries.length === 0) return null;
    const first = placeOf(entries[0][0]);
    if (first === null) throw new Error(`${channel.keys.stream} is not a channel's stream: ${entries[0][0]}`);
    const segment = channel.segment({ ...first, number: first.number - 1 }, unbounded);
    for (const [id, fields] of entries) {
      if (id !== idOf({ ...first, number: segment.history.last + 1 })) break;
      append(segment, fields);
    }
    const each = segment.size / segment.history.length;
    this.#count = Math.min(maxCount, Math.max(1, Math.floor(segmentBytes / each)));
    return { segment, first };
  }

  #keep(key: string, segment: MemoryChannel): void {
    const { size } = segment;
    this.#kept.set(key, { segment, size });
    this.#bytes += size;
    for (const [oldest, { segment, size }] of this.#kept) {
      if (this.#bytes <= maxBytes || oldest === key) break;
      this.#segments.delete(oldest);
      this.#kept.delete(oldest);
      this.#bytes -= size;
      // Who still reads it asks again.
      segment.trim(0);
    }
  }
}
