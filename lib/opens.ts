import { closeSync, constants, openSync } from "node:fs";
import { type Clock, processClock } from "./stream/clock.ts";
import { Limiter, type Permit } from "./stream/limiter.ts";

/** No permit came free in time, or the open itself did not end. */
export class OpensBusy extends Error {
  /** The error's name. */
  override name = "OpensBusy";
}

/** Whether an error of the file system passes: too many open files, or another program is about to let go of this one. */
export function isBusy(error: unknown): boolean {
  return error instanceof OpensBusy ||
    /^(EMFILE|ENFILE|EAGAIN)$/.test((error as { code?: string }).code ?? "");
}

/** Nearly every open ends sooner, in ms. */
const slowMs = 100;

/** Bounds of {@linkcode Opens}, in ms. */
export interface OpensOptions {
  /** Wait for a permit: 10,000 unless given, for a burst of downloads on a busy machine. */
  waitMs?: number;
  /** Duration of an open: 5,000 unless given, for a disk that sleeps. */
  openMs?: number;
  /** Time; a test passes its own. */
  clock?: Clock;
  /** Paths of files that are not opened, as if this user might not read them. */
  secrets?: readonly string[];
}

/**
 * Opens files for reading, a few at a time. The caller has seen with `lstat` that a file is there: opening a FIFO waits for
 * its writer and holds a thread of the runtime's pool, and 32 of them would stop every file read of the process. A writer in
 * the folder can win the race between the two; its FIFO then holds a permit, and nothing else, until it is freed.
 */
export class Opens {
  readonly #limiter: Limiter;
  readonly #options: Required<OpensOptions>;

  /** At most `max` opens under way at once. */
  constructor(
    max = 8,
    { waitMs = 10_000, openMs = 5_000, clock = processClock, secrets = [] }: OpensOptions = {},
  ) {
    this.#limiter = new Limiter(max);
    this.#options = { waitMs, openMs, clock, secrets };
  }

  /**
   * Opens a file. On an abort it rejects at once, also while the open hangs; that file is closed once it opens. A function is
   * asked for the signal only when that takes longer than 100 ms: one of a request would double the cost of a small file.
   *
   * @throws OpensBusy when no permit came free, or the file did not open, in time, or no file handle is left
   */
  async open(path: string, signal?: AbortSignal | (() => AbortSignal)): Promise<Deno.FsFile> {
    if (typeof signal !== "function") signal?.throwIfAborted();
    if (this.isSecret(path)) throw Object.assign(new Deno.errors.PermissionDenied(), { code: "EACCES" });
    const permit = this.#limiter.tryAcquire() ?? await this.permit(signal);
    const { promise, resolve, reject } = Promise.withResolvers<Deno.FsFile>();
    let left = false;
    const leave = (reason: unknown) => {
      left = true;
      reject(reason);
    };
    const { clock, openMs } = this.#options;
    // Also after an abort: the permit is held until the open has ended.
    let again: (() => void) | null = null;
    const late = () => {
      leave(new OpensBusy("the file does not open"));
      freeReader(path);
      // The open may only be waiting for a thread so far, and hang later.
      again = clock.after(openMs, late);
    };
    const stop = this.#watch(signal, leave, openMs, late);
    const ended = () => {
      stop();
      again?.();
      permit.release();
    };
    Deno.open(path).finally(ended).then(
      (file) => left ? file.close() : resolve(file),
      (error) => reject(isBusy(error) ? new OpensBusy("no file handle is left", { cause: error }) : error),
    );
    return await promise;
  }

  /** Whether a path leads to one of the files that are not opened, as they are now; a hard link does, too. */
  isSecret(path: string): boolean {
    const { secrets } = this.#options;
    if (secrets.length === 0) return false;
    const id = idOf(path);
    return id !== null && secrets.some((secret) => idOf(secret) === id);
  }

  /**
   * A permit without an open.
   *
   * @throws OpensBusy when none came free in time
   */
  async permit(signal?: AbortSignal | (() => AbortSignal)): Promise<Permit> {
    const ended = new AbortController();
    const leave = (reason: unknown) => ended.abort(reason);
    const late = () => leave(new OpensBusy("too many files are being opened"));
    const stop = this.#watch(signal, leave, this.#options.waitMs, late);
    try {
      return await this.#limiter.acquire({ signal: ended.signal });
    } finally {
      stop();
    }
  }

  /** Calls `leave` on an abort, and `late` after a time; returns what stops that. */
  #watch(
    signal: AbortSignal | (() => AbortSignal) | undefined,
    leave: (reason: unknown) => void,
    ms: number,
    late: () => void,
  ): () => void {
    const { clock } = this.#options;
    let heard: AbortSignal | undefined;
    const abort = () => leave(heard!.reason);
    const listen = (signal?: AbortSignal) => {
      heard = signal;
      if (heard?.aborted) abort();
      else heard?.addEventListener("abort", abort);
    };
    let cancel: () => void;
    if (typeof signal === "function") {
      cancel = clock.after(slowMs, () => {
        cancel = clock.after(ms - slowMs, late);
        listen(signal());
      });
    } else {
      listen(signal);
      cancel = clock.after(ms, late);
    }
    return () => {
      cancel();
      heard?.removeEventListener("abort", abort);
    };
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

/** What tells a file that is there from others; null where nothing is. Windows gives no inodes. */
function idOf(path: string): string | null {
  try {
    const { dev, ino } = Deno.statSync(path);
    return ino === null ? Deno.realPathSync(path) : `${dev} ${ino}`;
  } catch {
    return null;
  }
}
