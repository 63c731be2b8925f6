import { newEpoch } from "../channels/channel_history.ts";
import type { Limits } from "../limits.ts";
import { afterOthers } from "../stream/clock.ts";
import { type Report, StreamEnd } from "../stream/errors.ts";
import { CursorAt, Encoded, eventOf, JsonText } from "../stream/event.ts";
import { jsonOf } from "../stream/formats/json_data.ts";
import { ndjson } from "../stream/formats/ndjson.ts";
import { sse } from "../stream/formats/sse.ts";
import { byteLength } from "../stream/json.ts";
import { Pump, type Sink } from "../stream/pump.ts";
import { iterable, type Source } from "../stream/source.ts";
import { RunChannel, type RunIdentity, type RunOf, type RunState } from "./run_channel.ts";

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
export class Run extends RunChannel implements Sink {
  readonly wants = true;
  /** No reader sets its pace. */
  readonly rest = afterOthers;
  /** Resolves when its source has finished its cleanup. */
  readonly released: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #controller = new AbortController();
  readonly #pump: Pump;

  constructor(
    name: string,
    of: RunOf,
    source: Source,
    limits: Pick<Limits, "runEvents" | "runBytes">,
    readonly hooks: RunHooks,
    identity: RunIdentity = { epoch: newEpoch(), started: new Date().toISOString() },
  ) {
    super(name, of, limits, identity);
    const { signal } = this.#controller;
    this.#pump = new Pump(iterable(source, { format: ndjson, signal }), this, hooks.report);
  }

  start(): void {
    this.#pump.ask();
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
  cancel(reason: "cancelled" | "lost" = "cancelled"): void {
    if (this.state === "running") this.#finish(reason, new StreamEnd(reason));
  }

  /** The server is draining. */
  handleEvent(): void {
    this.cancel();
  }

  #finish(state: RunState, end: StreamEnd): void {
    this.conclude(state, end);
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
