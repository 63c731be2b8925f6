import { setImmediate } from "node:timers";

/** Resolves after `ms` milliseconds, or rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}

/**
 * Ticks every `ms` milliseconds from start to start, the first at once. The ticks keep to their grid, so a late timer
 * does not add up; one that is more than a whole interval late starts a new grid instead of catching up in a burst.
 * With 0 it does not wait at all.
 *
 * Yields when the tick was due, as `performance.now()` counts.
 */
export async function* every(ms: number, signal: AbortSignal): AsyncGenerator<number> {
  let next = performance.now();
  for (;;) {
    signal.throwIfAborted();
    yield next;
    if (ms === 0) continue;
    const now = performance.now();
    next = next + 2 * ms < now ? now : next + ms;
    if (next > now) await sleep(next - now, signal);
  }
}

let callbacks: (() => void)[] = [];

function runCallbacks(): void {
  const due = callbacks;
  callbacks = [];
  for (const callback of due) callback();
}

/**
 * Calls back when all that is ready now has run: every microtask of this turn of the event loop. The callbacks of a turn
 * share one timer; each of them must not throw.
 */
export function endOfTurn(callback: () => void): void {
  if (callbacks.push(callback) === 1) setImmediate(runCallbacks);
}
