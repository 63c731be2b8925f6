import { endOfTurn } from "../stream/clock.ts";

/** Time of each event-loop turn that all which share it have together, in ms. */
const sliceMs = 1;

/** What work that never waits has of the event loop: a little of each turn, however much of it there is. */
export class TurnShare {
  /** When this turn's first work was done; null before it. */
  #from: number | null = null;

  /** Whether this turn's share is used up. */
  used(): boolean {
    if (this.#from === null) {
      this.#from = Date.now();
      endOfTurn(() => this.#from = null);
    }
    return Date.now() - this.#from >= sliceMs;
  }
}
