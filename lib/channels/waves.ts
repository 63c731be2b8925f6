import { endOfTurn } from "../stream/clock.ts";

/** Callbacks called per event-loop turn, so that the rest of the server gets turns in between. */
const perTurn = 128;

/** Pause after a wave, as a part of the time that the wave took. */
const restFactor = 0.5;

/**
 * Wakes all that wait, in waves.
 *
 * When it is quiet a wave starts at the end of the turn that asked for it: the answer to the publisher goes first, and no
 * event waits for a later one. Every woken subscriber costs a write to its socket, and writes are what bounds a fan-out;
 * so the next wave starts only after a rest in proportion to the time that this one took. What is published meanwhile
 * joins that next wave: writes are joined exactly when they would otherwise take over the event loop.
 */
export class Waves {
  #waiting = new Set<() => void>();
  #wave: Iterator<() => void> | null = null;
  #asked = false;
  #startedAt = 0;
  #restUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Calls back once, in the next wave; the callback must not throw. */
  wait(callback: () => void): void {
    this.#waiting.add(callback);
  }

  /** No longer waits; a wave that is under way may still call. */
  forget(callback: () => void): void {
    this.#waiting.delete(callback);
  }

  /** There is something to wake for. */
  announce(): void {
    if (this.#asked || this.#waiting.size === 0 && this.#wave === null) return;
    this.#asked = true;
    if (this.#wave === null) this.#schedule();
  }

  /** No wave starts any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#closed) return;
    const rest = this.#restUntil - performance.now();
    if (rest < 1) endOfTurn(this.#start);
    else this.#timer = setTimeout(this.#start, rest);
  }

  readonly #start = () => {
    this.#asked = false;
    this.#startedAt = performance.now();
    this.#wave = this.#waiting.values();
    // What is woken waits again in the next set, or a wave would never end.
    this.#waiting = new Set();
    this.#slice();
  };

  readonly #slice = () => {
    for (let i = 0; i < perTurn; i++) {
      const { value, done } = this.#wave!.next();
      if (done) return endOfTurn(this.#finish);
      value();
    }
    endOfTurn(this.#slice);
  };

  readonly #finish = () => {
    const now = performance.now();
    this.#restUntil = now + (now - this.#startedAt) * restFactor;
    this.#wave = null;
    if (this.#asked) this.#schedule();
  };
}

/** Resolves in the next wave of one of them, or at the abort; once the signal has aborted it rejects with its reason. */
export async function nextWave(signal: AbortSignal, ...waves: Waves[]): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => resolve();
  for (const each of waves) each.wait(wake);
  signal.addEventListener("abort", wake);
  await promise;
  signal.removeEventListener("abort", wake);
  for (const each of waves) each.forget(wake);
}
