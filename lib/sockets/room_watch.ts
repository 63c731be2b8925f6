import { endOfTurn } from "../stream/clock.ts";

/** Time between two looks, in ms. */
const lookMs = 5;

/** What waits for a socket's peer to read. */
export interface WaitsForRoom {
  /** Goes on where there is room; false when it no longer waits. */
  look(): boolean;
}

/** Looks after all that wait for room, with one timer: the runtime tells how much is unsent, and not when it has become less. */
export class RoomWatch {
  readonly #waiting = new Set<WaitsForRoom>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Looks until it no longer waits. What a peer reads at once is gone after the next turn of the event loop. */
  add(waiting: WaitsForRoom): void {
    if (this.#waiting.has(waiting)) return;
    this.#waiting.add(waiting);
    endOfTurn(() => endOfTurn(() => this.#look(waiting)));
    this.#timer ??= setInterval(() => {
      for (const one of this.#waiting) this.#look(one);
    }, lookMs);
  }

  /** It no longer waits. */
  delete(waiting: WaitsForRoom): void {
    if (!this.#waiting.delete(waiting) || this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(waiting: WaitsForRoom): void {
    if (this.#waiting.has(waiting) && !waiting.look()) this.delete(waiting);
  }
}
