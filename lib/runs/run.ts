import { MemoryChannel } from "../channels/memory_channel.ts";
import { newEpoch } from "../channels/channel_history.ts";
import { afterOthers } from "../stream/clock.ts";
import { HttpError, type Report, StreamEnd } from "../stream/errors.ts";
import { CursorAt, Encoded, eventOf, JsonText } from "../stream/event.ts";
import { jsonOf } from "../stream/formats/json_data.ts";
import { ndjson } from "../stream/formats/ndjson.ts";
import { sse } from "../stream/formats/sse.ts";
import { byteLength } from "../stream/json.ts";
import { Pump, type Sink } from "../stream/pump.ts";
import { iterable, type Source } from "../stream/source.ts";

/** What a run is of, beside its name. */
export interface RunOf {
  /** Path of the request that started it. */
  readonly route: string;
  /** What it was started with, by the names of the query's parameters. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** How a run is. */
export type RunState = "running" | "complete" | "failed" | "cancelled";

/** A run, as {@linkcode Run.info} gives it. */
export interface RunInfo {
  /** Its name. */
  name: string;
  /** Path of the request that started it. */
  route: string;
  /** How it is. */
  state: RunState;
  /** When it started (RFC 3339). */
  started: string;
  /** Events that it has had so far. */
  events: number;
  /** Who follows it now. */
  readers: number;
}

/** A run with what it was started with, as {@linkcode Run.started} gives it. */
export type StartedRun = RunInfo & Pick<RunOf, "params">;

/** What a run reports to its registry. */
export interface RunHooks {
  readonly report: Report;
  /** Its history takes this many bytes more than before, or fewer. */
  grew(bytes: number): void;
  /** Whether a source that never waits has had its share of this turn. */
  hadShare(): boolean;
  ended(): void;
}

/**
 * A source that is run once, by itself: its events are a channel that has a start and an end. No reader paces it, so it
 * goes as fast as it can, and a reader that falls behind what is retained gets a gap.
 */
export class Run extends MemoryChannel implements Sink {
  override readonly fromStart = true;
  readonly wants = true;
  /** No reader sets its pace. */
  readonly rest = afterOthers;
  state: RunState = "running";
  /** Resolves when its source has finished its cleanup. */
  readonly released: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #started = new Date();
  readonly #controller = new AbortController();
  readonly #pump: Pump;

  constructor(
    readonly name: string,
    readonly of: RunOf,
    source: Source,
    limits: { runEvents: number; runBytes: number },
    readonly hooks: RunHooks,
  ) {
    super({ channelEvents: limits.runEvents, channelBytes: limits.runBytes }, name, newEpoch());
    const { signal } = this.#controller;
    this.#pump = new Pump(iterable(source, { format: ndjson, signal }), this, hooks.report);
  }

  start(): void {
    this.#pump.ask();
  }

  info(): RunInfo {
    const { name, of: { route }, state, history, readers } = this;
    return { name, route, state, started: this.#started.toISOString(), events: history.last, readers };
  }

  started(): StartedRun {
    return { ...this.info(), params: this.of.params };
  }

  /**
   * Compares it with what a request asks for, as far as that says.
   *
   * @throws HttpError 409
   */
  check({ route, params }: RunOf, query: URLSearchParams): void {
    const refuse = (what: string, own: string, value: string) => {
      const rule = `${what} must be ${own}, which the run ${this.name} was started with`;
      throw new HttpError(409, `${rule}: current value is ${value}`);
    };
    if (route !== this.of.route) refuse("the path", this.of.route, route);
    for (const name in params) {
      const [own, value] = [this.of.params[name], params[name]].map((value) => JSON.stringify(value));
      if (query.has(name) && own !== value) refuse(name, short(own), short(value));
    }
  }

  take(value: unknown): boolean {
    this.#add(value);
    return this.hooks.hadShare();
  }

  close(failure: { error: unknown } | null): void {
    if (failure === null) return this.#finish("complete", new StreamEnd("complete"));
    const { error } = failure;
    if (error instanceof StreamEnd) {
      return this.#finish(error.reason === "complete" ? "complete" : "failed", error);
    }
    this.hooks.report("its source failed", error);
    this.#finish("failed", new StreamEnd("error"));
  }

  /** Stops it, if it is running: its source's signal aborts, and its readers end. */
  cancel(): void {
    if (this.state !== "running") return;
    this.#finish("cancelled", new StreamEnd("cancelled"));
  }

  /** The server is draining. */
  handleEvent(): void {
    this.cancel();
  }

  #finish(state: RunState, end: StreamEnd): void {
    this.state = state;
    this.finish(end);
    this.hooks.ended();
    this.#pump.stopped = true;
    if (state !== "complete") this.#controller.abort();
    this.#pump.stop(this.released.resolve);
  }

  #add(value: unknown): void {
    // A place in another stream's order means nothing here.
    if (value instanceof CursorAt || value instanceof Encoded && value.bytes.length === 0) return;
    if (value instanceof Encoded) {
      throw new TypeError(
        "Cannot share blocks of records, which are in one format: the source must yield events",
      );
    }
    const { event, data } = eventOf(value);
    // What cannot be a name fails here, once, and not for each reader.
    if (event !== undefined) sse.event({ event, data: "" });
    const json = data instanceof JsonText ? data : new JsonText(jsonOf(data, data));
    const before = this.size;
    // A copy, because a slice of a longer text would keep all of that.
    this.add(json, byteLength(json.json), event && JSON.parse(JSON.stringify(event)));
    this.hooks.grew(this.size - before);
  }
}

const short = (json: string) => json.length > 80 ? json.slice(0, 80) + "…" : json;
