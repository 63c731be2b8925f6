import { Limiter, type Permit } from "./stream/limiter.ts";

/** Opens under way at once. */
const maxOpens = 8;

/** Time that an open waits for its permit, in ms. */
const waitMs = 1_000;

/** No permit came free in time. */
export class OpensBusy extends Error {
  /** The error's name. */
  override name = "OpensBusy";
}

/**
 * Opens files for reading, a few at a time. Whoever calls it has seen with `lstat` that a file is there, for opening a FIFO
 * waits for its writer and holds a thread of the runtime's pool: 32 of them would stop every read of the process. A writer
 * in the folder can win the race between the two; its FIFO then holds a permit, and no more than that.
 */
export class Opens {
  readonly #limiter = new Limiter(maxOpens);

  /** Opens under way now. */
  get used(): number {
    return this.#limiter.used;
  }

  /**
   * Opens a file. An abort stops waiting, also for an open that hangs; the file is closed when it comes after all.
   *
   * @throws OpensBusy when none of the permits came free within a second
   */
  async open(path: string, signal?: AbortSignal): Promise<Deno.FsFile> {
    const permit = this.#limiter.tryAcquire() ?? await this.#wait(signal);
    const opening = Deno.open(path, { read: true });
    const release = () => permit.release();
    opening.then(release, release);
    if (signal === undefined) return await opening;
    return await new Promise((resolve, reject) => {
      const gone = () => {
        reject(signal.reason);
        opening.then((file) => file.close(), () => {});
      };
      if (signal.aborted) return gone();
      signal.addEventListener("abort", gone, { once: true });
      const settled = () => signal.removeEventListener("abort", gone);
      opening.then(settled, settled);
      opening.then(resolve, reject);
    });
  }

  async #wait(signal?: AbortSignal): Promise<Permit> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new OpensBusy("too many files are being opened")), waitMs);
    try {
      return await this.#limiter.acquire({
        signal: signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]),
      });
    } finally {
      clearTimeout(timer);
    }
  }
}
