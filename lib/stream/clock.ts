import { setImmediate } from "node:timers";

/** Time, for what waits; a test passes its own. All times are in ms. */
export interface Clock {
  /** Time since some moment; it never goes back. */
  now(): number;
  /** Calls back once after `ms`, unless the function that it returns is called first. */
  after(ms: number, callback: () => void): () => void;
}

/** The time of the process. */
export const processClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` milliseconds, or rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal: AbortSignal, clock: Clock = processClock): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
    signal.addEventListener("abort", abort, { once: true });
  });
}

/**
 * Ticks every `ms` milliseconds from start to start, the first at once. The ticks keep to their grid, so a late timer
 * does not add up; one that is more than a whole interval late starts a new grid instead of catching up in a burst.
 * With 0 it does not wait at all.
 *
 * Yields the time that the tick was due at, by the clock.
 */
export async function* every(
  ms: number,
  signal: AbortSignal,
  clock: Clock = processClock,
): AsyncGenerator<number> {
  let next = clock.now();
  for (;;) {
    signal.throwIfAborted();
    yield next;
    if (ms === 0) continue;
    const now = clock.now();
    next = next + 2 * ms < now ? now : next + ms;
    if (next > now) await sleep(next - now, signal, clock);
  }
}

/** What calls back once, with all others that wait for the same, when `schedule` says so; no callback may throw. */
function together(schedule: (run: () => void) => void): (callback: () => void) => void {
  let callbacks: (() => void)[] = [];
  const run = () => {
    const due = callbacks;
    callbacks = [];
    for (const callback of due) callback();
  };
  return (callback) => {
    if (callbacks.push(callback) === 1) schedule(run);
  };
}

/** Calls back when all that is ready now has run: every microtask of this turn of the event loop. */
export const endOfTurn: (callback: () => void) => void = together(setImmediate);

/**
 * Calls back when the sockets have had a turn as well, for work that goes on and on: Deno 2.9.6 calls back some sixty times
 * for `endOfTurn` before it looks at them.
 */
export const afterOthers: (callback: () => void) => void = together((run) => setTimeout(run, 0));
