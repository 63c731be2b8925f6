import { delay } from "@std/async/delay";
import { Limiter } from "../stream/limiter.ts";

/** Time that readers may take of the event loop before all others have their turn, in ms. */
const turnMs = 2;

/** Turns of readers that look through much and find little: several of them together take no more than one would. */
export class Turns {
  /** One reader at a time passes. */
  readonly limiter: Limiter = new Limiter(1);
  #since = 0;

  /** Resolves when this reader may go on: at once where it is alone. An abort rejects with the signal's reason. */
  async next(signal: AbortSignal): Promise<void> {
    using _permit = await this.limiter.acquire({ signal });
    if (this.limiter.waiting === 0 || performance.now() - this.#since < turnMs) return;
    // A timer: with less, sockets would still have to wait.
    await delay(0);
    this.#since = performance.now();
  }
}

/** Those of all scans of logs: they share one event loop. */
export const scans: Turns = new Turns();
