import { getJson } from "./api.js";
import { watch } from "./feed.js";

/** Readings of one sensor that are kept; half of them go when there are more. */
const most = 7_200;

/** @typedef {{ id: string, unit: string, description: string, interval: number, time: string | null, value: number | null, state: string, reason?: string }} Latest */

/** The readings of one sensor, as a chart takes them. */
export class Readings {
  /** In s since 1970; as many as there are values. */
  times = new Float64Array(most);
  /** Null where the line has a hole, as a plot knows it by null alone. @type {(number | null)[]} */
  values = [];
  #stop = () => {};

  /** @param {Latest} latest */
  constructor(latest) {
    this.latest = latest;
  }

  get length() {
    return this.values.length;
  }

  /** The time of the last one, in s. */
  get end() {
    return this.times[this.length - 1];
  }

  /** Up to `seconds`: what there is of them, and a minute where that is less. @param {number} seconds */
  spanOf(seconds) {
    return Math.min(seconds, Math.max(60, this.end - this.times[0]));
  }

  /** Where the last `seconds` begin. @param {number} seconds */
  since(seconds) {
    let i = this.length;
    while (i > 0 && this.times[i - 1] >= this.end - seconds) i--;
    return i;
  }

  /** Loads the last `seconds`, then calls `changed` whenever a reading has come. @param {number} seconds @param {() => void} changed */
  async start(seconds, changed) {
    const stopped = new AbortController();
    this.#stop = () => stopped.abort();
    const { cursor, readings } = await this.#history(
      `?last=${Math.ceil(seconds * 1_000 / this.latest.interval)}`,
    );
    if (stopped.signal.aborted) return;
    this.values = [];
    for (const [time, value] of readings) this.#add(time, value);
    this.#stop = watch(`sensor:${this.latest.id}`, (records) => {
      for (const { event, data } of records) {
        if (event === "gap") this.#hole();
        else if (event === "state") {
          this.latest = { ...this.latest, value: null, state: data.state, reason: data.reason };
        } else {
          this.latest = { ...this.latest, reason: undefined, ...data };
          this.#add(Date.parse(data.time), data.value);
        }
      }
      changed();
    }, cursor);
    changed();
  }

  /** Loads what was before, as far as the server has it. */
  async extend() {
    const { readings } = await this.#history("");
    const first = this.times[0] * 1_000;
    const all = [
      ...readings.filter(([time]) => !(time >= first)),
      ...this.values.map((value, i) => /** @type {const} */ ([this.times[i] * 1_000, value])),
    ];
    this.values = [];
    for (const [time, value] of all) this.#add(time, value);
  }

  /** Ends what {@linkcode start} began. */
  stop() {
    this.#stop();
  }

  /** @param {string} query @returns {Promise<{ cursor: string, readings: [number, number | null][] }>} */
  #history(query) {
    return getJson(`/sensors/${encodeURIComponent(this.latest.id)}/history${query}`);
  }

  /** @param {number} ms @param {number | null} value */
  #add(ms, value) {
    if (ms / 1_000 - this.end > this.latest.interval * 3 / 1_000) this.#hole();
    this.#push(ms / 1_000, value);
  }

  #hole() {
    if (this.length > 0 && this.values[this.length - 1] !== null) this.#push(this.end + 0.001, null);
  }

  /** @param {number} time @param {number | null} value */
  #push(time, value) {
    if (this.length === most) {
      this.values.splice(0, most / 2);
      this.times.copyWithin(0, most / 2);
    }
    this.times[this.length] = time;
    this.values.push(value);
  }
}
