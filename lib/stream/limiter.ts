/** One place held in a {@linkcode Limiter}; releasing it twice counts once. */
export interface Permit extends Disposable {
  /** Gives the place back. */
  release(): void;
}

/**
 * A counting semaphore, first come first served. `using permit = await limiter.acquire({ signal })` gives its place
 * back however the block ends.
 */
export class Limiter {
  #used = 0;
  readonly #queue = new Set<() => void>();

  /** `max` places; `maxQueue` may wait for one before `acquire` throws a RangeError. */
  constructor(readonly max: number, readonly maxQueue: number = Infinity) {}

  /** Places taken now. */
  get used(): number {
    return this.#used;
  }

  /** Callers waiting now. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** A place at once, or null. It never overtakes those who wait. */
  tryAcquire(): Permit | null {
    if (this.#used >= this.max) return null;
    this.#used++;
    return new Place(this.#release);
  }

  /** Waits for a place in order of arrival; an abort leaves the queue and rejects with the signal's reason. */
  acquire({ signal }: { signal: AbortSignal }): Promise<Permit> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const permit = this.tryAcquire();
    if (permit) return Promise.resolve(permit);
    if (this.#queue.size >= this.maxQueue) {
      return Promise.reject(new RangeError(`Cannot wait for a place: ${this.maxQueue} are waiting already`));
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#queue.delete(grant);
        reject(signal.reason);
      };
      const grant = () => {
        signal.removeEventListener("abort", abort);
        resolve(this.tryAcquire()!);
      };
      this.#queue.add(grant);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  // A place that is freed is granted in the same step, so that nobody can come between.
  readonly #release = (): void => {
    this.#used--;
    const [next] = this.#queue;
    if (next === undefined) return;
    this.#queue.delete(next);
    next();
  };
}

class Place implements Permit {
  #free: (() => void) | null;

  constructor(free: () => void) {
    this.#free = free;
  }

  release(): void {
    const free = this.#free;
    this.#free = null;
    free?.();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
