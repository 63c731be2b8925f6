import { dirname } from "node:path";
import type { Answered } from "./http/context.ts";
import type { Limits } from "./limits.ts";
import { endOfTurn } from "./stream/clock.ts";
import { printReport, type Report } from "./stream/errors.ts";

/** Entries that may wait for the disk; the ones after that are lost. */
const maxWaiting = 20_000;

/** Writes are at least this far apart, in ms: what comes between is written together. */
const joinMs = 20;

/** After a failure the disk is tried again this often, in ms; so often, too, another's rotation is looked for. */
const retryMs = 1_000;

const encoder = new TextEncoder();
const newline = new Uint8Array([10]);

/**
 * Writes one JSON line a request, without delaying any: a request leaves its entry, and the lines are made and written
 * after its turn. A disk that fails costs lines, which are counted, and never a request.
 */
export class AccessLog {
  /** Lines that could not be written. */
  lost = 0;
  readonly #max: number;
  readonly #kept: number;
  #waiting: Answered[] = [];
  #file: Deno.FsFile | null = null;
  #size = 0;
  /** The last write ended within a line. */
  #torn = false;
  #failing = false;
  #checked = 0;
  #writing: Promise<void> | null = null;
  #scheduled = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writtenAt = -Infinity;
  #closing = false;

  /** Opens nothing yet. The path is absolute; its folder is made when it is missing. */
  constructor(
    readonly path: string,
    limits: Pick<Limits, "accessLogBytes" | "accessLogsKept">,
    readonly report: Report = printReport,
  ) {
    this.#max = limits.accessLogBytes;
    this.#kept = limits.accessLogsKept;
  }

  /** Takes one entry, to be written soon. */
  record(entry: Answered): void {
    if (this.#waiting.length >= maxWaiting) {
      this.lost++;
      return;
    }
    this.#waiting.push(entry);
    if (!this.#scheduled) this.#schedule();
  }

  /** Writes what was recorded, and closes the file; what is recorded later opens it again. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await this.#writing;
    if (this.#waiting.length > 0) await this.#write();
    this.#closeFile();
    this.#closing = this.#scheduled = false;
  }

  #schedule(): void {
    this.#scheduled = true;
    const wait = this.#writtenAt + (this.#failing ? retryMs : joinMs) - performance.now();
    if (wait > 0) this.#timer = setTimeout(this.#due, wait);
    else endOfTurn(this.#due);
  }

  readonly #due = (): void => {
    if (this.#writing !== null || this.#closing || this.#waiting.length === 0) return;
    this.#writing = this.#write().then(() => {
      this.#writing = null;
      this.#scheduled = false;
      if (this.#waiting.length > 0 && !this.#closing) this.#schedule();
    });
  };

  async #write(): Promise<void> {
    const entries = this.#waiting;
    this.#waiting = [];
    let text = "";
    let last = -1, iso = "";
    // By hand, and a time that many share only once: half the cost of JSON.stringify, which each request would pay.
    for (const { time, method, path, status, bytes, ms, end } of entries) {
      if (time !== last) iso = new Date(last = time).toISOString();
      text += `{"time":"${iso}","method":"${method}","path":${JSON.stringify(path)},"status":${status},` +
        `"bytes":${bytes},"ms":${ms},"end":"${end}"}\n`;
    }
    const bytes = encoder.encode(text);
    let written = 0;
    try {
      const file = await this.#open(bytes.length);
      if (this.#torn && this.#size > 0) await file.write(newline);
      while (written < bytes.length) {
        const count = await file.write(written === 0 ? bytes : bytes.subarray(written));
        written += count;
        this.#size += count;
      }
      this.#torn = this.#failing = false;
    } catch (error) {
      if (written > 0) this.#torn = bytes[written - 1] !== 10;
      this.lost += entries.length - countLines(bytes.subarray(0, written));
      this.#closeFile();
      if (!this.#failing) this.report(`the access log cannot be written: ${(error as Error).message}`);
      this.#failing = true;
    }
    this.#writtenAt = performance.now();
  }

  /** The file to write to: opened, made with its folder, or rotated, as need be. */
  async #open(bytes: number): Promise<Deno.FsFile> {
    if (this.#file !== null && Date.now() - this.#checked >= retryMs) await this.#check(this.#file);
    if (this.#file !== null && this.#size > 0 && this.#size + bytes > this.#max) await this.#rotate();
    if (this.#file === null) {
      await this.#openFile();
      if (this.#size > 0 && this.#size + bytes > this.#max) {
        await this.#rotate();
        await this.#openFile();
      }
    }
    return this.#file!;
  }

  async #openFile(): Promise<void> {
    const options = { append: true, create: true };
    try {
      this.#file = await Deno.open(this.path, options);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.mkdir(dirname(this.path), { recursive: true });
      this.#file = await Deno.open(this.path, options);
    }
    this.#size = (await this.#file.stat()).size;
    this.#checked = Date.now();
  }

  /** Someone else may have renamed or removed the file. */
  async #check(file: Deno.FsFile): Promise<void> {
    this.#checked = Date.now();
    const [ours, there] = await Promise.all([file.stat(), Deno.stat(this.path).catch(() => null)]);
    if (there === null || there.ino !== ours.ino || there.dev !== ours.dev) this.#closeFile();
    else this.#size = ours.size;
  }

  async #rotate(): Promise<void> {
    this.#closeFile();
    if (this.#kept === 0) {
      await Deno.remove(this.path);
      return;
    }
    for (let n = this.#kept; n > 0; n--) {
      const from = n === 1 ? this.path : `${this.path}.${n - 1}`;
      try {
        await Deno.rename(from, `${this.path}.${n}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }

  #closeFile(): void {
    this.#file?.close();
    this.#file = null;
  }
}

/** Whole lines in what was written. */
function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = 0; (at = bytes.indexOf(10, at) + 1) > 0;) lines++;
  return lines;
}
