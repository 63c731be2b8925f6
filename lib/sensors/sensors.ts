import { MemoryChannel } from "../channels/memory_channel.ts";
import { Subscriber } from "../channels/subscriber.ts";
import { valueOf } from "../channels/value.ts";
import type { Limits } from "../limits.ts";
import { HttpError, quote } from "../stream/errors.ts";
import type { Wanted } from "../stream/source.ts";
import { Encoded, type Gap, type StreamEvent } from "../stream/event.ts";
import { History } from "./history.ts";
import { type Sample, sample } from "./sampler.ts";
import type { PushSensor, Reading, Sensor } from "./sensor.ts";

/** A sensor and its latest reading, as `GET /sensors` lists it. */
export interface Latest extends Omit<Reading, "time"> {
  /** The sensor's. */
  description: string;
  /** From reading to reading, in ms. */
  interval: number;
  /** Null before the first reading. */
  time: string | null;
}

/** The last reading of a sensor, and its id in the channel. */
interface Last {
  reading: Reading;
  id: string;
}

type Tags = ReadonlySet<string>;

interface Entry {
  sensor: Sensor | PushSensor;
  history: History;
  last: Last | null;
  /** Until a push sensor is stale. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** A reading in words: `TIME ID VALUE UNIT`, or the state and its reason in place of the value. */
export function readingLine({ time, id, value, unit, state, reason }: Reading): string {
  return `${time} ${id} ` + (state === "ok" ? `${value} ${unit}`.trimEnd() : `${state}: ${reason}`);
}

/** All sensors, sampled once however many watch. Their readings have a channel of their own. */
export class Sensors {
  readonly #entries = new Map<string, Entry>();
  readonly #channel: MemoryChannel;
  #stop: AbortController | null = null;

  /** Sensors that are not sampled yet. */
  constructor(
    sensors: readonly (Sensor | PushSensor)[],
    limits: Pick<Limits, "channelEvents" | "channelBytes" | "sensorReadings">,
  ) {
    this.#channel = new MemoryChannel(limits);
    for (const sensor of sensors) {
      const history = new History(limits.sensorReadings);
      this.#entries.set(sensor.id, { sensor, history, last: null, timer: undefined });
    }
  }

  /** Begins to sample. */
  start(): void {
    this.#stop = new AbortController();
    for (const entry of this.#entries.values()) {
      const { sensor } = entry;
      if ("push" in sensor) this.#expect(entry, sensor);
      else sample(sensor, (result, time) => this.#report(entry, result, time), this.#stop.signal);
    }
  }

  /** Samples no more. */
  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.#channel.close();
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
  }

  /** The latest of every sensor. */
  list(): Latest[] {
    return [...this.#entries.values()].map(({ sensor: { id, unit, description, interval }, last }) => {
      const { time, value, state, reason } = last?.reading ??
        { time: null, value: null, state: "stale" as const, reason: "no reading yet" };
      return { id, unit, description, interval, time, value, state, reason };
    });
  }

  /**
   * What is kept of one sensor: time in ms since 1970, and the value or null where a reading had none.
   *
   * @throws HttpError 404
   */
  history(id: string): [time: number, value: number | null][] {
    return this.#entry(id).history.pairs();
  }

  /**
   * What takes the values of a push sensor and gives each reading's id.
   *
   * @throws HttpError 404 for an unknown id, 409 for a sensor that is read
   */
  pusher(id: string): (value: number) => string {
    const entry = this.#entry(id);
    const { sensor } = entry;
    if (!("push" in sensor)) {
      throw new HttpError(409, `the sensor ${id} is read by the server: values cannot be posted to it`);
    }
    return (value) => {
      this.#expect(entry, sensor);
      return this.#report(entry, { state: "ok", value });
    };
  }

  /**
   * Refuses a name that is no sensor's.
   *
   * @throws HttpError 400
   */
  check(ids: string[]): void {
    const unknown = ids.find((id) => !this.#entries.has(id));
    if (unknown === undefined) return;
    throw new HttpError(400, `id must be a sensor's: current value is ${quote(unknown)}`);
  }

  /**
   * The readings from now on, after the latest of each sensor; with a cursor, those after it. What other sensors have
   * pushed out of the history is no gap to who did not want them.
   */
  async *stream({ after, format, signal }: Wanted, tags?: Tags): AsyncGenerator<StreamEvent | Encoded> {
    if (after === undefined) {
      // Taken in one step, so that no reading is between what is latest and what comes after it.
      after = this.#channel.lastId;
      for (const { id, reading } of this.#latest(tags)) yield { id, data: reading };
    }
    const wanted = { after, format, signal, tags };
    for await (const item of new Subscriber(wanted, () => this.#channel, () => {})) {
      const swallowed = item instanceof Encoded ? [] : this.#swallowed(item.data as Gap, tags);
      yield item;
      // The next reading of a sensor with a long interval may be far away.
      for (const { id, reading } of swallowed) yield { id, data: reading };
    }
  }

  /** The last reading of each wanted sensor, in the channel's order: those from number `first` on. */
  #latest(tags: Tags | undefined, first = 0): Last[] {
    return [...this.#entries.values()].flatMap(({ last, sensor }) =>
      last !== null && (tags?.has(sensor.id) ?? true) && sequence(last.id) >= first ? [last] : []
    ).sort((a, b) => sequence(a.id) - sequence(b.id));
  }

  /** Of these the ones in a gap. */
  #swallowed({ after, next }: Gap, tags: Tags | undefined): Last[] {
    const from = this.#channel.locate(after);
    const latest = this.#latest(tags, from.gap === null ? from.next : 0);
    return latest.filter(({ id }) => next === null || sequence(id) < sequence(next));
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new HttpError(404, "no such sensor");
    return entry;
  }

  #report(entry: Entry, { state, value, reason }: Sample, time = Date.now()): string {
    const { id, unit } = entry.sensor;
    const reading: Reading = { id, time: new Date(time).toISOString(), value, unit, state, reason };
    entry.last = { reading, id: this.#channel.publish([valueOf(reading)], id) };
    entry.history.add(time, value);
    return entry.last.id;
  }

  /** From now on a value has to come within three intervals. */
  #expect(entry: Entry, { interval }: PushSensor): void {
    if (this.#stop === null) return;
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      try {
        this.#report(entry, { state: "stale", value: null, reason: `no value for ${interval * 3} ms` });
      } catch (error) {
        console.error(`the sensor ${entry.sensor.id} could not be reported as stale:`, error);
      }
    }, interval * 3);
  }
}

const sequence = (id: string) => Number(id.slice(id.indexOf("-") + 1));
