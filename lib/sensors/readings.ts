import { MemoryChannel } from "../channels/memory_channel.ts";
import { Subscriber } from "../channels/subscriber.ts";
import { valueOf } from "../channels/value.ts";
import type { Limits } from "../limits.ts";
import { Encoded, type Gap, type StreamEvent } from "../stream/event.ts";
import type { Wanted } from "../stream/source.ts";
import type { Reading } from "./sensor.ts";

/** The last reading of a sensor, and its cursor in the channel. */
interface Last {
  reading: Reading;
  cursor: string;
}

/** Readings as they are retained: the last and a history of each sensor, and all of them in a channel of their own. */
export class Readings {
  readonly #channel: MemoryChannel;
  readonly #last = new Map<string, Last>();
  readonly #histories = new Map<string, History>();

  /** Without readings. */
  constructor(readonly limits: Pick<Limits, "channelEvents" | "channelBytes" | "sensorReadings">) {
    this.#channel = new MemoryChannel(limits);
  }

  /** Adds and publishes a reading; returns its cursor. */
  add(reading: Reading): string {
    const { id, time, value } = reading;
    const cursor = this.#channel.publish([valueOf(reading)], id);
    this.#last.set(id, { reading, cursor });
    let history = this.#histories.get(id);
    if (history === undefined) this.#histories.set(id, history = new History(this.limits.sensorReadings));
    history.add(Date.parse(time), value);
    return cursor;
  }

  /** The last reading of a sensor. */
  last(id: string): Reading | undefined {
    return this.#last.get(id)?.reading;
  }

  /** The history of a sensor, oldest first: time in ms since 1970, and the value or null where a reading had none. */
  history(id: string): [time: number, value: number | null][] {
    return this.#histories.get(id)?.pairs() ?? [];
  }

  /**
   * The readings of these sensors, or of all: from now on, after the last of each sensor; with a cursor, those after it. Evicted readings of
   * other sensors are no gap.
   */
  async *stream(
    { after, format, signal }: Wanted,
    ids?: ReadonlySet<string>,
  ): AsyncGenerator<StreamEvent | Encoded> {
    if (after === undefined) {
      // Taken in one step, so that no reading is between the last ones and those that follow.
      after = this.#channel.lastId;
      for (const { cursor, reading } of this.#lastOf(ids)) yield { id: cursor, data: reading };
    }
    const wanted = { after, format, signal, tags: ids };
    for await (const item of new Subscriber(wanted, () => this.#channel, () => {})) {
      const swallowed = item instanceof Encoded ? [] : this.#swallowed(item.data as Gap, ids);
      yield item;
      // The next reading of a sensor with a long interval may be far away.
      for (const { cursor, reading } of swallowed) yield { id: cursor, data: reading };
    }
  }

  /** Stops the work under way. */
  close(): void {
    this.#channel.close();
  }

  /** The last reading of each wanted sensor, in the channel's order: those from number `first` on. */
  #lastOf(ids: ReadonlySet<string> | undefined, first = 0): Last[] {
    return [...this.#last.values()].filter(({ reading, cursor }) =>
      (ids?.has(reading.id) ?? true) && sequence(cursor) >= first
    ).sort((a, b) => sequence(a.cursor) - sequence(b.cursor));
  }

  /** Of these the ones in a gap. */
  #swallowed({ after, next }: Gap, ids: ReadonlySet<string> | undefined): Last[] {
    const from = this.#channel.locate(after);
    const last = this.#lastOf(ids, from.gap === null ? from.next : 0);
    return last.filter(({ cursor }) => next === null || sequence(cursor) < sequence(next));
  }
}

const sequence = (cursor: string) => Number(cursor.slice(cursor.indexOf("-") + 1));

/** The last `max` readings of one sensor: a ring of two numbers each, so that a long history costs little. */
class History {
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  #count = 0;

  constructor(readonly max: number) {
    this.#times = new Float64Array(max);
    this.#values = new Float64Array(max);
  }

  add(time: number, value: number | null): void {
    const at = this.#count++ % this.max;
    this.#times[at] = time;
    this.#values[at] = value ?? NaN;
  }

  pairs(): [time: number, value: number | null][] {
    const pairs: [number, number | null][] = [];
    for (let i = Math.max(0, this.#count - this.max); i < this.#count; i++) {
      const value = this.#values[i % this.max];
      pairs.push([this.#times[i % this.max], Number.isNaN(value) ? null : value]);
    }
    return pairs;
  }
}
