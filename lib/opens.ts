import { closeSync, constants, openSync } from "node:fs";
import { type Clock, processClock } from "./stream/clock.ts";
import { Limiter, type Permit } from "./stream/limiter.ts";

/** No permit came free in time, or the open itself did not end. */
export class OpensBusy extends Error {
  /** The error's name. */
  override name = "OpensBusy";
}

/** Bounds of {@linkcode Opens}, in ms. */
export interface OpensOptions {
  /** Wait for a permit: 10,000 unless given, for a burst of downloads on a busy machine. */
  waitMs?: number;
  /** Duration of an open: 5,000 unless given, for a disk that sleeps. */
  openMs?: number;
  /** Time; a test passes its own. */
  clock?: Clock;
}

/**
 * Opens files for reading, a few at a time. The caller has seen with `lstat` that a file is there: opening a FIFO waits for
 * its writer and holds a thread of the runtime's pool, and 32 of them would stop every file read of the process. A writer in
 * the folder can win the race between the two; its FIFO then holds a permit, and nothing else, until it is freed.
 */
export class Opens {
  readonly #limiter: Limiter;
  readonly #waitMs: number;
  readonly #openMs: number;
  readonly #clock: Clock;

  /** At most `max` opens under way at once. */
  constructor(max = 8, { waitMs = 10_000, openMs = 5_000, clock = processClock }: OpensOptions = {}) {
    this.#limiter = new Limiter(max);
    this.#waitMs = waitMs;
    this.#openMs = openMs;
    this.#clock = clock;
  }

  /**
   * Opens a file. On an abort it rejects at once, also while the open hangs; that file is closed once it opens.
   *
   * @throws OpensBusy when no permit came free, or the file did not open, in time
   */
  async open(path: string, signal?: AbortSignal): Promise<Deno.FsFile> {
    signal?.throwIfAborted();
    const permit = this.#limiter.tryAcquire() ?? await this.#wait(signal);
    const { promise, resolve, reject } = Promise.withResolvers<Deno.FsFile>();
    let given = true;
    const leave = (reason: unknown) => {
      given = false;
      reject(reason);
    };
    const abort = () => leave(signal!.reason);
    signal?.addEventListener("abort", abort);
    // Also after an abort: the permit is held until the open has ended.
    const cancel = this.#clock.after(this.#openMs, () => {
      leave(new OpensBusy("the file does not open"));
      freeReader(path);
    });
    const ended = () => {
      cancel();
      permit.release();
      signal?.removeEventListener("abort", abort);
    };
    Deno.open(path).then((file) => {
      ended();
      if (given) resolve(file);
      else file.close();
    }, (error) => {
      ended();
      reject(error);
    });
    return await promise;
  }

  /**
   * A permit without an open.
   *
   * @throws OpensBusy when none came free in time
   */
  async permit(signal?: AbortSignal): Promise<Permit> {
    return this.#limiter.tryAcquire() ?? await this.#wait(signal);
  }

  async #wait(signal?: AbortSignal): Promise<Permit> {
    const late = new AbortController();
    const busy = () => late.abort(new OpensBusy("too many files are being opened"));
    const cancel = this.#clock.after(this.#waitMs, busy);
    try {
      const either = signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]);
      return await this.#limiter.acquire({ signal: either });
    } finally {
      cancel();
    }
  }
}

/** Opens a FIFO's other end for a moment, so that an open that waits for it returns. */
function freeReader(path: string): void {
  try {
    if (Deno.lstatSync(path).isFifo) closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch {
    // It is no longer there, or Weir may not write there: it waits for its own writer.
  }
}
