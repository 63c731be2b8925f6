import { MemoryChannel } from "../channels/memory_channel.ts";
import { nextWave } from "../channels/waves.ts";
import type { Limits } from "../limits.ts";
import { HttpError, type StreamEnd } from "../stream/errors.ts";

/** What a run is of, beside its name. */
export interface RunOf {
  /** Path of the request that started it. */
  readonly route: string;
  /** What it was started with, by the names of the query's parameters. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** What tells a run from the others of its name. */
export interface RunIdentity {
  readonly epoch: string;
  /** When it started (RFC 3339). */
  readonly started: string;
}

/** How a run is; `lost` when its process has ended, or was away from the others for too long. */
export type RunState = "running" | "complete" | "failed" | "cancelled" | "lost";

/** A run, as {@linkcode RunChannel.info} gives it. */
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
  /** Who follows it now, in this process. */
  readers: number;
}

/** A run with what it was started with, as {@linkcode RunChannel.started} gives it. */
export type StartedRun = RunInfo & Pick<RunOf, "params">;

/** A run as its readers have it: a channel that has a start and an end. */
export class RunChannel extends MemoryChannel {
  override readonly fromStart = true;
  state: RunState = "running";

  constructor(
    readonly name: string,
    readonly of: RunOf,
    limits: Pick<Limits, "runEvents" | "runBytes">,
    readonly identity: RunIdentity,
  ) {
    super({ channelEvents: limits.runEvents, channelBytes: limits.runBytes }, name, identity.epoch);
  }

  info(): RunInfo {
    const { name, of: { route }, state, identity: { started }, history, readers } = this;
    return { name, route, state, started, events: history.last, readers };
  }

  started(): StartedRun {
    return { ...this.info(), params: this.of.params };
  }

  /** Waits while a cursor is of an event that is yet to come here: its process may have shown it before the others had it. */
  async reach(cursor: string, signal: AbortSignal): Promise<void> {
    const { history } = this;
    const prefix = history.id(0).slice(0, -1);
    if (!cursor.startsWith(prefix)) return;
    const number = Number(cursor.slice(prefix.length));
    while (this.end === null && number > history.last) await nextWave(signal, this.waves);
  }

  /** Nothing more comes. */
  conclude(state: RunState, end: StreamEnd): void {
    this.state = state;
    this.finish(end);
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
}

const short = (json: string) => json.length > 80 ? json.slice(0, 80) + "…" : json;
