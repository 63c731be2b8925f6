import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { Limits } from "../../lib/limits.ts";
import type { FollowOptions } from "../../lib/logs/begin.ts";
import { type FollowItem, LogFollower } from "../../lib/logs/log_follower.ts";
import { LogPlace } from "../../lib/logs/log_place.ts";
import { Opens } from "../../lib/opens.ts";
import { CursorAt, type StreamEvent } from "../../lib/stream/event.ts";
import { granted } from "./granted.ts";

/** A test with a folder of logs. */
export function logTest(
  name: string,
  run: (folder: LogFolder) => Promise<void>,
  limits?: Partial<Limits>,
): void {
  Deno.test({
    name,
    ignore: !granted.files,
    async fn() {
      await using folder = new LogFolder(limits);
      await run(folder);
    },
  });
}

/** A temporary folder with one log in it, app.log, and its readers. `await using` ends them and removes it. */
export class LogFolder implements AsyncDisposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "weir-logs-" });
  readonly log = `${this.path}/app.log`;
  readonly place: LogPlace = this.placeOf(this.log, this.path);
  /** What was reported to the operator. */
  readonly reports: string[] = [];
  /** The time that followers see, in ms. */
  now = 0;
  follower: LogFollower;
  readonly #readings: Reading[] = [];

  constructor(readonly limits: Partial<Limits> = {}) {
    this.follower = this.restart();
  }

  /** Another log. */
  placeOf(path: string, root: string | null = null, opens: Pick<Opens, "open"> = new Opens()): LogPlace {
    return new LogPlace(basename(path), path, root, opens, this.limits.unpackedBytes ?? 67_108_864);
  }

  /** Reads from now on as a process that has just started. Each log is polled every millisecond. */
  restart(): LogFollower {
    const report = (message: string) => void this.reports.push(message);
    return this.follower = new LogFollower(new Limits(this.limits), report, () => 1, () => this.now);
  }

  append(text: string | Uint8Array, path: string = this.log): void {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    Deno.writeFileSync(path, bytes, { append: true });
  }

  read(options: Partial<FollowOptions> = {}, place: LogPlace = this.place): Reading {
    const reading = new Reading(this.follower, place, options);
    this.#readings.push(reading);
    return reading;
  }

  /** All lines and gaps up to the end that is there now. */
  async all(options: Partial<FollowOptions> = {}): Promise<string[]> {
    const reading = this.read({ from: "start", follow: false, ...options });
    const lines: string[] = [];
    for (let line; (line = await reading.next()) !== null;) lines.push(line);
    return lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const reading of this.#readings) await reading.stop();
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Reads a log line by line; a gap is the line "GAP". */
export class Reading {
  /** The cursor after the last line that was read, or that it began at. */
  cursor: string | undefined;
  readonly #abort = new AbortController();
  readonly #items: AsyncGenerator<FollowItem>;
  #lines: StreamEvent<string>[] = [];

  constructor(follower: LogFollower, place: LogPlace, options: Partial<FollowOptions>) {
    this.cursor = options.after;
    this.#items = follower.follow(place, {
      from: "start",
      follow: true,
      signal: this.#abort.signal,
      ...options,
    });
  }

  /** The next line, "GAP", "SEARCHED", or null at the end. */
  async next(): Promise<string | null> {
    while (this.#lines.length === 0) {
      const { done, value } = await this.#items.next();
      if (done) return null;
      if (value instanceof CursorAt) this.cursor = value.id;
      else if ("data" in value) {
        return value.event!.toUpperCase() + (typeof value.data === "string" ? ` ${value.data}` : "");
      } else this.#lines = value.lines();
    }
    const { id, data } = this.#lines.shift()!;
    this.cursor = id;
    return data;
  }

  async take(count: number): Promise<(string | null)[]> {
    const lines = [];
    for (let i = 0; i < count; i++) lines.push(await this.next());
    return lines;
  }

  /** Ends it as a client that leaves does. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#items.return(undefined);
  }
}

/** Packs a file as gzip does: with its time. `change` damages it. */
export function pack(path: string, change = (packed: Uint8Array): Uint8Array => packed): void {
  const { mtime } = Deno.statSync(path);
  Deno.writeFileSync(`${path}.gz`, change(gzipSync(Deno.readFileSync(path))));
  Deno.utimeSync(`${path}.gz`, mtime!, mtime!);
  Deno.removeSync(path);
}
