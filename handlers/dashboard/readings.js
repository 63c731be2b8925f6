import { getJson } from "./api.js";
import { watch } from "./feed.js";

/** Readings of one sensor that are kept; half of them go when there are more. */
const most = 7_200;

/** @typedef {{ id: string, unit: string, description: string, interval: number, time: string | null, value: number | null, state: string, reason?: string }} Latest */

/** The readings of one sensor, as a plot takes them. */
export class Readings {
  /** In s since 1970; as many as there are values. */
  times = new Float64Array(most);
  /** Null where the line has a hole, as a plot knows it by null alone. @type {(number | null)[]} */
  values = [];
  /** Whether they are watched. */
  isLive = false;
  #over = new AbortController();

  constructor(/** @type {Latest} */ latest) {
    this.latest = latest;
  }

  /** The time of the last one, in s. */
  get end() {
    return this.times[this.values.length - 1];
  }

  /** What there is of the last `seconds`, and 20 s where that is less. @param {number} seconds */
  spanOf(seconds) {
    return Math.min(seconds, Math.max(20, this.end - this.times[0]));
  }

  /** Where the last `seconds` begin. @param {number} seconds */
  since(seconds) {
    let i = this.values.length;
    while (i > 0 && this.times[i - 1] >= this.end - seconds) i--;
    return i;
  }

  /** Loads the last `seconds`, and calls `changed` now and when a reading has come. @param {number} seconds @param {() => void} changed */
  async start(seconds, changed) {
    this.isLive = true;
    const { signal } = this.#over = new AbortController();
    const { id, interval } = this.latest;
    const last = Number.isFinite(seconds) ? `?last=${Math.ceil(seconds * 1_000 / interval)}` : "";
    const path = `/sensors/${encodeURIComponent(id)}`;
    const { cursor, readings } = await getJson(`${path}/history${last}`);
    // What was known of it may be older: only a change of state has more to tell than the history has.
    const [at, value] = readings.at(-1) ?? [this.latest.time, this.latest.value];
    if ((value === null) !== (this.latest.value === null)) this.latest = await getJson(path);
    else this.latest = { ...this.latest, time: at, value };
    if (signal.aborted) return;
    this.values = [];
    for (const [time, value] of readings) this.#add(time, value);
    watch(`sensor:${id}`, cursor, signal, (records) => {
      for (const { event, data } of records) {
        if (event === "gap") this.#hole();
        else if (event === "state") this.latest = { ...this.latest, ...data, value: null };
        else {
          this.latest = { ...this.latest, reason: undefined, ...data };
          this.#add(Date.parse(data.time), data.value);
        }
      }
      changed();
    });
    changed();
  }

  /** Ends what {@linkcode start} began. */
  stop() {
    this.isLive = false;
    this.#over.abort();
  }

  #add(/** @type {number} */ ms, /** @type {number | null} */ value) {
    if (ms / 1_000 - this.end > this.latest.interval * 3 / 1_000) this.#hole();
    this.#push(ms / 1_000, value);
  }

  #hole() {
    if (this.values.length > 0) this.#push(this.end, null);
  }

  #push(/** @type {number} */ time, /** @type {number | null} */ value) {
    // A plot needs them in order, and each apart; a clock that was set back begins anew.
    if (time < this.end - 1) this.values = [];
    if (this.values.length === most) {
      this.values.splice(0, most / 2);
      this.times.copyWithin(0, most / 2);
    }
    this.times[this.values.length] = this.values.length === 0 ? time : Math.max(time, this.end + 0.0001);
    this.values.push(value);
  }
}
