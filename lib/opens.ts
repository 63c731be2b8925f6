import { Limiter, type Permit } from "./stream/limiter.ts";

/** No permit came free in time. */
export class OpensBusy extends Error {
  /** The error's name. */
  override name = "OpensBusy";
}

/**
 * Opens files for reading, a few at a time. The caller has seen with `lstat` that a file is there: opening a FIFO waits for
 * its writer and holds a thread of the runtime's pool, and 32 of them would stop every file read of the process. A writer in
 * the folder can win the race between the two; its FIFO then holds a permit, and nothing else.
 */
export class Opens {
  readonly #limiter: Limiter;

  /** At most `max` opens under way at once; one more waits up to `waitMs` for its permit. */
  constructor(max = 8, readonly waitMs = 1_000) {
    this.#limiter = new Limiter(max);
  }

  /**
   * Opens a file. On an abort it rejects at once, also while the open hangs; that file is closed once it opens.
   *
   * @throws OpensBusy when no permit came free in time
   */
  async open(path: string, signal?: AbortSignal): Promise<Deno.FsFile> {
    const opening = this.#open(path, signal);
    if (signal === undefined) return await opening;
    const gone = Promise.withResolvers<never>();
    const abort = () => gone.reject(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      return await Promise.race([opening, gone.promise]);
    } catch (error) {
      opening.then((file) => file.close(), () => {});
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /**
   * A permit without an open.
   *
   * @throws OpensBusy when none came free in time
   */
  async permit(): Promise<Permit> {
    return this.#limiter.tryAcquire() ?? await this.#wait();
  }

  async #open(path: string, signal?: AbortSignal): Promise<Deno.FsFile> {
    using _permit = this.#limiter.tryAcquire() ?? await this.#wait();
    signal?.throwIfAborted();
    return await Deno.open(path);
  }

  async #wait(): Promise<Permit> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new OpensBusy("too many files are being opened")), this.waitMs);
    try {
      return await this.#limiter.acquire({ signal: late.signal });
    } finally {
      clearTimeout(timer);
    }
  }
}
