/** The last readings of one sensor: a ring of two numbers each, so that a long history costs little. */
export class History {
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  #count = 0;

  /** An empty history that keeps `max` readings. */
  constructor(readonly max: number) {
    this.#times = new Float64Array(max);
    this.#values = new Float64Array(max);
  }

  /** Adds a reading; `time` is in ms since 1970. */
  add(time: number, value: number | null): void {
    const at = this.#count++ % this.max;
    this.#times[at] = time;
    this.#values[at] = value ?? NaN;
  }

  /** Oldest first. */
  pairs(): [time: number, value: number | null][] {
    const pairs: [number, number | null][] = [];
    for (let i = Math.max(0, this.#count - this.max); i < this.#count; i++) {
      const value = this.#values[i % this.max];
      pairs.push([this.#times[i % this.max], Number.isNaN(value) ? null : value]);
    }
    return pairs;
  }
}
