import type { Limits } from "../limits.ts";
import { HttpError, printReport, quote, type Report } from "../stream/errors.ts";
import type { Source } from "../stream/source.ts";
import { type History, Readings } from "./readings.ts";
import { type Sample, sample } from "./sampler.ts";
import type { PushSensor, Reading, Sensor } from "./sensor.ts";

/** A sensor and its last reading, as `GET /sensors` lists it; `time` is null before the first. */
export type Latest =
  & Pick<Sensor, "description" | "interval">
  & Omit<Reading, "time">
  & { time: string | null };

/** All sensors; each is sampled once, however many readers it has. A service of the server. */
export class Sensors {
  /** Its name as a service. */
  readonly name = "sensors";
  readonly #sensors: ReadonlyMap<string, Sensor | PushSensor>;
  readonly #readings: Readings;
  /** When each push sensor becomes stale. */
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #signal: AbortSignal | null = null;

  constructor(
    sensors: readonly (Sensor | PushSensor)[],
    limits: Pick<Limits, "channelEvents" | "sensorReadings">,
    readonly report: Report = printReport,
  ) {
    this.#sensors = new Map(sensors.map((sensor) => [sensor.id, sensor]));
    this.#readings = new Readings(limits);
  }

  /** Samples until the signal aborts. */
  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    signal.addEventListener("abort", () => {
      this.#readings.close();
      for (const timer of this.#timers.values()) clearTimeout(timer);
    });
    await Promise.all(
      this.#sensors.values().map((sensor) => {
        if ("push" in sensor) return this.#expect(sensor);
        return sample(sensor, (result, time) => this.#add(sensor, result, time), signal, this.report);
      }),
    );
  }

  list(): Latest[] {
    return [...this.#sensors.keys()].map((id) => this.latest(id));
  }

  /** The last reading of a sensor; throws HttpError 404 for an unknown id. */
  latest(id: string): Latest {
    const { unit, description, interval } = this.#sensor(id);
    const none = { time: null, value: null, state: "stale", reason: "no reading yet" } as const;
    return { id, unit, description, interval, ...this.#readings.last(id) ?? none };
  }

  /** {@linkcode Readings.history}; throws HttpError 404 for an unknown id. */
  history(id: string, last?: number): History {
    return this.#readings.history(this.#sensor(id).id, last);
  }

  /** The id of a sensor that takes values, if there is one. */
  somePush(): string | undefined {
    return this.#sensors.values().find((sensor) => "push" in sensor)?.id;
  }

  /** What takes the values of a push sensor and returns their cursors; throws HttpError 404, or 409 for a sensor that is read. */
  pusher(id: string): (value: number) => string {
    const sensor = this.#sensor(id);
    if (!("push" in sensor)) {
      throw new HttpError(409, `the sensor ${id} is read by the server: values cannot be posted to it`);
    }
    return (value) => {
      this.#expect(sensor);
      return this.#add(sensor, { state: "ok", value });
    };
  }

  /**
   * {@linkcode Readings.stream}, of all sensors when there is no id; throws HttpError 400, which names the parameter, for an
   * unknown one.
   */
  stream(ids: readonly string[], param = "id"): Source {
    const unknown = ids.find((id) => !this.#sensors.has(id));
    if (unknown !== undefined) {
      throw new HttpError(400, `${param} must be a sensor's: current value is ${quote(unknown)}`);
    }
    const chosen = ids.length === 0 ? undefined : new Set(ids);
    return (wanted) => this.#readings.stream(wanted, chosen);
  }

  #sensor(id: string): Sensor | PushSensor {
    const sensor = this.#sensors.get(id);
    if (sensor === undefined) {
      throw new HttpError(404, `the id must be a sensor's: current value is ${quote(id)}`);
    }
    return sensor;
  }

  #add({ id, unit }: Sensor | PushSensor, { state, value, reason }: Sample, time = Date.now()): string {
    return this.#readings.add({ id, time: new Date(time).toISOString(), value, unit, state, reason });
  }

  /** The next value has to arrive within three intervals. */
  #expect(sensor: PushSensor): void {
    if (this.#signal?.aborted !== false) return;
    const { id, interval } = sensor;
    clearTimeout(this.#timers.get(id));
    const stale = { state: "stale", value: null, reason: `no value for ${interval * 3} ms` } as const;
    this.#timers.set(id, setTimeout(() => this.#add(sensor, stale), interval * 3));
  }
}
