import type { ClientShare } from "./client_share.ts";
import { overloaded } from "./errors.ts";

/** A slot of a {@linkcode Limiter} while it is held; releasing it twice counts once. */
export interface Permit extends Disposable {
  /** Frees the slot. */
  release(): void;
}

/**
 * A counting semaphore, first come first served. `using permit = await limiter.acquire({ signal })` frees its slot
 * however the block ends.
 */
export class Limiter {
  #used = 0;
  readonly #queue = new Set<() => void>();

  /** `max` permits at once; `share` is what one client may hold of them, where requests are admitted. */
  constructor(readonly max: number, readonly share: ClientShare | null = null) {}

  /** Permits held now. */
  get used(): number {
    return this.#used;
  }

  /** Callers waiting now. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** A permit at once, or null; it never overtakes a waiting caller. `released` is called once it is given back. */
  tryAcquire(released?: () => void): Permit | null {
    if (this.#used >= this.max) return null;
    this.#used++;
    if (released === undefined) return slot(this.#release);
    return slot(() => {
      released();
      this.#release();
    });
  }

  /**
   * A permit for a request; the address of its client is read only where there is a share.
   *
   * @throws HttpError 503 over the limit of `what`, or over the client's share of it
   */
  admit(what: string, exchange: { readonly client: string }): Permit {
    this.share?.check(what, this, exchange.client);
    const released = this.share?.hold(exchange.client);
    const permit = this.tryAcquire(released);
    if (permit !== null) return permit;
    released?.();
    throw overloaded(what, this.max);
  }

  /** Waits for a permit in order of arrival; an abort leaves the queue and rejects with the signal's reason. */
  acquire({ signal }: { signal: AbortSignal }): Promise<Permit> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const permit = this.tryAcquire();
    if (permit) return Promise.resolve(permit);
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

  // A freed slot is granted in the same step, so that no other caller can come between.
  readonly #release = (): void => {
    this.#used--;
    const [next] = this.#queue;
    if (next === undefined) return;
    this.#queue.delete(next);
    next();
  };
}

function slot(free: () => void): Permit {
  let isHeld = true;
  const release = () => {
    if (!isHeld) return;
    isHeld = false;
    free();
  };
  return { release, [Symbol.dispose]: release };
}
