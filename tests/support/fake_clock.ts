import type { Clock } from "../../lib/stream/clock.ts";
import { turns } from "./turns.ts";

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ at: number; callback: () => void }>();

  /** Timers that are set. */
  get waiting(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets `ms` go by: the timers that fall due call back in their order, each with the turns that follow from it. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (await turns();; await turns()) {
      const [due] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = end;
  }

  /** Goes on at once, as when the process was busy: timers that fall due are late. */
  jump(ms: number): void {
    this.#now += ms;
  }
}
