import { dirname } from "node:path";
import { maskedQuery } from "./http/masked_query.ts";
import type { Answered } from "./http/server_side.ts";
import type { Limits } from "./limits.ts";
import { sleep } from "./stream/clock.ts";
import { printReport, type Report } from "./stream/errors.ts";

/** Entries that may wait for the disk; the ones after that are lost. */
const maxWaiting = 20_000;

/** Writes are at least this far apart, in ms: what comes between is written together. */
const joinMs = 20;

/** Time between two attempts on a disk that fails, in ms. */
const retryMs = 1_000;

/** Characters of a User-Agent that are shown. */
const agentChars = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Writes one JSON line a request, without delaying any: a request leaves its entry, and the lines are made and written
 * after its turn. A disk that fails costs lines, which are counted, and never a request.
 */
export class AccessLog {
  /** Lines that could not be written. */
  lost = 0;
  /** Whether the last write failed. */
  failing = false;
  #waiting: Answered[] = [];
  #file: Deno.FsFile | null = null;
  /** The last write ended within a line. */
  #torn = false;
  #writtenAt = -Infinity;
  #writing: Promise<void> | null = null;
  #closing = new AbortController();

  /** Opens nothing yet. The path is absolute; its folder is made when it is missing. */
  constructor(
    readonly path: string,
    readonly limits: Pick<Limits, "accessLogBytes" | "accessLogsKept">,
    readonly report: Report = printReport,
  ) {}

  /** Takes one entry, to be written soon. */
  record(entry: Answered): void {
    if (this.#waiting.length >= maxWaiting) {
      this.lost++;
      return;
    }
    this.#waiting.push(entry);
    this.#writing ??= this.#writeAll();
  }

  /** Writes what was recorded, and closes the file; what is recorded later opens it again. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#closing = new AbortController();
    await this.#writing;
    this.#closeFile();
  }

  /** Writes until nothing is waiting. Closing cuts the wait short, and makes the next write the last one. */
  async #writeAll(): Promise<void> {
    const { signal } = this.#closing;
    for (let last = false; !last && this.#waiting.length > 0;) {
      const wait = this.#writtenAt + (this.failing ? retryMs : joinMs) - performance.now();
      await sleep(Math.max(0, wait), signal).catch(() => {});
      last = signal.aborted;
      await this.#write();
      this.#writtenAt = performance.now();
    }
    this.#writing = null;
  }

  async #write(): Promise<void> {
    const entries = this.#waiting;
    this.#waiting = [];
    let rest = encoder.encode(linesOf(entries));
    try {
      const file = await this.#open(rest.length);
      if (this.#torn && (await file.stat()).size > 0) await file.write(encoder.encode("\n"));
      this.#torn = false;
      while (rest.length > 0) {
        const written = await file.write(rest);
        this.#torn = rest[written - 1] !== 10;
        rest = rest.subarray(written);
      }
      this.failing = false;
    } catch (error) {
      this.lost += decoder.decode(rest).split("\n").length - 1;
      this.#closeFile();
      if (!this.failing) this.report(`the access log cannot be written: ${(error as Error).message}`);
      this.failing = true;
    }
  }

  /** The file to write to: opened, made with its folder, or rotated, as need be. */
  async #open(bytes: number): Promise<Deno.FsFile> {
    let [ours, there] = await Promise.all([this.#file?.stat(), Deno.stat(this.path).catch(() => null)]);
    // Another program may have renamed or removed the file.
    if (there === null || there.ino !== ours?.ino || there.dev !== ours.dev) {
      this.#closeFile();
      this.#file = await this.#create();
      ours = await this.#file.stat();
    }
    if (ours.size > 0 && ours.size + bytes > this.limits.accessLogBytes) {
      await this.#rotate();
      this.#file = await this.#create();
    }
    return this.#file!;
  }

  async #create(): Promise<Deno.FsFile> {
    const open = () => Deno.open(this.path, { append: true, create: true });
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.mkdir(dirname(this.path), { recursive: true });
      return await open();
    }
  }

  async #rotate(): Promise<void> {
    this.#closeFile();
    const { accessLogsKept } = this.limits;
    if (accessLogsKept === 0) return await Deno.remove(this.path);
    for (let n = accessLogsKept; n > 0; n--) {
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

/** The JSON of words that come again and again, as they are `shown`: of the last one. */
class LastJson {
  #word: string | null = null;
  #json = "null";

  constructor(readonly shown = (word: string) => word) {}

  of(word: string | null): string {
    if (word !== this.#word) {
      this.#word = word;
      this.#json = JSON.stringify(word && this.shown(word));
    }
    return this.#json;
  }
}

/** By hand, and what many share only once: half the cost of JSON.stringify, which each request would pay. */
function linesOf(entries: readonly Answered[]): string {
  const [paths, routes, clients, tokens] = Array.from({ length: 4 }, () => new LastJson());
  const queries = new LastJson(maskedQuery);
  const agents = new LastJson((agent) => agent.slice(0, agentChars));
  let text = "";
  let last = -1, iso = "";
  for (const entry of entries) {
    const { time, more } = entry;
    if (time !== last) iso = new Date(last = time).toISOString();
    text += `{"time":"${iso}","method":"${entry.method}","path":${paths.of(entry.path)},` +
      `"query":${queries.of(entry.query)},"route":${routes.of(entry.route)},` +
      `"status":${entry.status},"bytes":${entry.bytes},"ms":${entry.ms}` +
      `,"end":"${entry.end}","client":${clients.of(entry.client)},"token":${tokens.of(entry.token)}` +
      `,"id":"${entry.id}","agent":${agents.of(entry.agent)}` +
      (more === undefined ? "}\n" : `,${JSON.stringify(more).slice(1)}\n`);
  }
  return text;
}
