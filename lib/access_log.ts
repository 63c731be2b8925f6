import { dirname } from "node:path";
import { maskedQuery } from "./http/masked_query.ts";
import type { Answered } from "./http/server_side.ts";
import type { Limits } from "./limits.ts";
import { sleep } from "./stream/clock.ts";
import { printReport, type Report } from "./stream/errors.ts";

/** Lines that may wait for the disk; the ones after that are lost. */
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
 * Writes one JSON line a request, without delaying any: a request leaves its line, and what has come in 20 ms is written
 * together. A disk that fails costs lines, which are counted, and never a request.
 */
export class AccessLog {
  /** Lines that could not be written. */
  lost = 0;
  /** Whether the last write failed. */
  failing = false;
  readonly #lines = new Lines();
  #waiting = 0;
  #text = "";
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
    if (this.#waiting >= maxWaiting) {
      this.lost++;
      return;
    }
    this.#waiting++;
    this.#text += this.#lines.of(entry);
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
    for (let last = false; !last && this.#waiting > 0;) {
      const wait = this.#writtenAt + (this.failing ? retryMs : joinMs) - performance.now();
      await sleep(Math.max(0, wait), signal).catch(() => {});
      last = signal.aborted;
      await this.#write();
      this.#writtenAt = performance.now();
    }
    this.#writing = null;
  }

  async #write(): Promise<void> {
    let rest = encoder.encode(this.#text);
    this.#text = "";
    this.#waiting = 0;
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

/** Makes the lines: what one has in common with the one before it is made once. */
class Lines {
  #last: Partial<Answered> = {};
  #time = "";
  #head = "";
  #who = "";
  #agent = "";

  of(entry: Answered): string {
    const last = this.#last;
    const { time, method, path, query, route, status, end, client, token, agent, more } = entry;
    this.#last = entry;
    if (time !== last.time) this.#time = new Date(time).toISOString();
    if (
      time !== last.time || method !== last.method || path !== last.path || query !== last.query ||
      route !== last.route || status !== last.status
    ) {
      this.#head = `{"time":"${this.#time}","method":"${method}","path":${JSON.stringify(path)},` +
        `"query":${JSON.stringify(maskedQuery(query))},"route":${JSON.stringify(route)},` +
        `"status":${status},"bytes":`;
    }
    if (end !== last.end || client !== last.client || token !== last.token || agent !== last.agent) {
      this.#who = `,"end":"${end}","client":${JSON.stringify(client)},"token":${
        JSON.stringify(token)
      },"id":"`;
      this.#agent = `","agent":${JSON.stringify(agent && agent.slice(0, agentChars))}`;
    }
    return `${this.#head}${entry.bytes},"ms":${entry.ms}${this.#who}${entry.id}${this.#agent}` +
      (more === undefined ? "}\n" : `,${JSON.stringify(more).slice(1)}\n`);
  }
}
