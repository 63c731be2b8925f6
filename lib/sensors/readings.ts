import { ChannelHistory } from "../channels/channel_history.ts";
import { begun } from "../channels/subscriber.ts";
import { nextWave, Waves } from "../channels/waves.ts";
import type { Limits } from "../limits.ts";
import { cursorAt, type StreamEvent } from "../stream/event.ts";
import type { StreamItem, Wanted } from "../stream/source.ts";
import type { Reading } from "./sensor.ts";

/** What is retained of one sensor. */
interface Retained {
  last: { reading: Reading; number: number };
  /** Times in ms since 1970, and values: NaN for none. Two arrays of numbers take a fraction of the memory of pairs. */
  times: number[];
  values: number[];
  /** Number of its last reading that was evicted from the latest of all; 0 for none. */
  evicted: number;
}

/** The retained readings of one sensor, oldest first, and the cursor that its stream goes on after. */
export interface History {
  cursor: string;
  /** Time in ms since 1970, and the value, or null where a reading had none. */
  readings: [time: number, value: number | null][];
}

/** Readers of all sensors wait by this, which is no sensor's id. */
const all = "";

/** Readings as they are retained: the last and a history of each sensor, and the latest of all in order. */
export class Readings {
  readonly #latest = new ChannelHistory<Reading>("sensors");
  /** By sensor, as most readers wait for a few: each reading wakes those of its own. */
  readonly #waves = new Map<string, Waves>();
  readonly #sensors = new Map<string, Retained>();

  constructor(readonly limits: Pick<Limits, "channelEvents" | "sensorReadings">) {}

  /** Adds and publishes a reading; returns its cursor. */
  add(reading: Reading): string {
    const latest = this.#latest;
    latest.add(reading);
    const last = { reading, number: latest.last };
    const none: Omit<Retained, "last"> = { times: [], values: [], evicted: 0 };
    const before = this.#sensors.get(reading.id) ?? none;
    const { times, values } = before;
    times.push(Date.parse(reading.time));
    values.push(reading.value ?? NaN);
    if (times.length > this.limits.sensorReadings) {
      times.shift();
      values.shift();
    }
    this.#sensors.set(reading.id, { ...before, last });
    if (latest.length > this.limits.channelEvents) {
      this.#sensors.get(latest.evict().id)!.evicted = latest.oldest - 1;
    }
    for (const id of [all, reading.id]) this.#waves.get(id)?.announce();
    return latest.id();
  }

  /** The last reading of a sensor. */
  last(id: string): Reading | undefined {
    return this.#sensors.get(id)?.last.reading;
  }

  /** The last readings of a sensor, up to so many. */
  history(id: string, last = Infinity): History {
    const { times, values } = this.#sensors.get(id) ?? { times: [], values: [] };
    const first = Math.max(0, times.length - last);
    const valueAt = (i: number) => Number.isNaN(values[i]) ? null : values[i];
    return {
      cursor: this.#latest.id(),
      readings: times.slice(first).map((time, i) => [time, valueAt(first + i)]),
    };
  }

  /**
   * The readings of these sensors, or of all: the last of each and then those that come; with a cursor, those after it.
   * Evicted readings of other sensors are no gap.
   */
  async *stream({ after, signal }: Wanted, ids?: ReadonlySet<string>): AsyncGenerator<StreamItem> {
    const latest = this.#latest;
    // In one step, so that no reading is between the last ones and those that follow.
    let next = latest.after(after);
    const last = after === undefined ? this.#lastOf(ids, 0, next) : [];
    const waves = [...ids ?? [all]].map((id) => this.#wavesOf(id));
    const isLost = () =>
      ids === undefined || [...ids].some((id) => (this.#sensors.get(id)?.evicted ?? 0) >= next);
    // A browser that is cut before the first reading comes back to here; where there are last ones, they come at once.
    if (after === undefined && last.length === 0) yield cursorAt(latest.id());
    // Who comes back to a gap has it first, and is counted so.
    else if (latest.gap(next, after) === null || !isLost()) yield begun;
    yield* last;
    for (;;) {
      const gap = latest.gap(next, after);
      if (gap !== null) {
        const lost = isLost();
        // The next reading of a sensor with a long interval may be far away.
        const swallowed = this.#lastOf(ids, next, latest.oldest);
        next = latest.oldest;
        if (lost) yield ids === undefined ? gap : { ...gap, data: { ...gap.data, lost: null } };
        yield* swallowed;
        continue;
      }
      const reading = latest.at(next);
      if (reading === undefined) await nextWave(signal, ...waves);
      else {
        const id = latest.id(next++);
        if (ids === undefined || ids.has(reading.id)) yield { id, data: reading };
      }
    }
  }

  /** Stops the wave under way. */
  close(): void {
    for (const waves of this.#waves.values()) waves.close();
  }

  #wavesOf(id: string): Waves {
    let waves = this.#waves.get(id);
    if (waves === undefined) this.#waves.set(id, waves = new Waves());
    return waves;
  }

  /** The last reading of each of these sensors, as far as it has a number from `first` to before `end`. */
  #lastOf(ids: ReadonlySet<string> | undefined, first: number, end: number): StreamEvent<Reading>[] {
    return [...this.#sensors.values()].map(({ last }) => last)
      .filter(({ reading: { id }, number }) => (ids?.has(id) ?? true) && number >= first && number < end)
      .sort((a, b) => a.number - b.number)
      .map(({ reading, number }) => ({ id: this.#latest.id(number), data: reading }));
  }
}
