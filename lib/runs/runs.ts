import { checkName } from "../http/params.ts";
import { Subscriber } from "../channels/subscriber.ts";
import { shrink } from "../channels/memory_channel.ts";
import { nextWave, Waves } from "../channels/waves.ts";
import { Limits } from "../limits.ts";
import type { ClientShare } from "../stream/client_share.ts";
import { afterOthers, type Clock, endOfTurn, processClock } from "../stream/clock.ts";
import { HttpError, printReport, quote, type Report, StreamEnd } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";
import { Limiter } from "../stream/limiter.ts";
import type { Source, StreamItem, Wanted } from "../stream/source.ts";
import { Run, type RunInfo, type RunOf, type StartedRun } from "./run.ts";

/** Time that all runs together, however many never wait, have of each event-loop turn, in ms. */
const sliceMs = 1;

/** Limits of {@linkcode Runs}. */
export type RunsLimits = Pick<Limits, "runs" | "runsBytes" | "runEvents" | "runBytes">;

/** How {@linkcode Runs} retain what has ended. */
export interface RunsOptions {
  /** Seconds for which a run is retained after its end. Default: 600. */
  keepRuns?: number;
  /** What one client may have running. Default: no bound. */
  share?: ClientShare | null;
  /** Where failures of runs are reported. Default: stderr. */
  report?: Report;
  /** Time, for a test. */
  clock?: Clock;
}

/** The runs of a server, by name: those that go on, and those that have ended and are retained for a while. */
export class Runs {
  readonly #runs = new Map<string, Run>();
  /** Those that have ended, the first before the others, with what stops their time; null when that is over. */
  readonly #ended = new Map<Run, (() => void) | null>();
  readonly #working = new Set<Promise<void>>();
  readonly #starts = new Waves();
  readonly #limiter: Limiter;
  readonly #options: Required<RunsOptions>;
  #bytes = 0;
  /** When this turn's first event came; null before it. */
  #turnAt: number | null = null;

  /** A registry without runs. */
  constructor(readonly limits: RunsLimits = new Limits(), options: RunsOptions = {}) {
    const { keepRuns = 600, share = null, report = printReport, clock = processClock } = options;
    this.#options = { keepRuns, share, report, clock };
    this.#limiter = new Limiter(limits.runs, share);
  }

  /** Runs that go on now. */
  get running(): number {
    return this.#limiter.used;
  }

  /** The runs, in the order in which they started. */
  list(): RunInfo[] {
    return [...this.#runs.values()].map((run) => run.info());
  }

  /** Whether there is a run of this name. */
  has(name: string): boolean {
    return this.#runs.has(name);
  }

  /**
   * One run, with what it was started with.
   *
   * @throws HttpError 404 when there is none of this name
   */
  find(name: string): StartedRun {
    return this.#find(name).started();
  }

  /**
   * Starts a run, unless it is there already. Parameters that the request does not give are the run's own.
   *
   * @throws HttpError 400 for a name that cannot be one, 409 for a run of another route or of other parameters, 503 over the
   * limit of runs
   */
  start(name: string, of: RunOf, source: Source, exchange: Exchange): void {
    const existing = this.#runs.get(name);
    if (existing !== undefined) return existing.check(of, exchange.query);
    // The rest of the request must not live as long as the run.
    const { draining } = exchange;
    const { keepRuns, report, clock } = this.#options;
    checkName("a run's", name);
    const permit = this.#limiter.admit("runs", exchange);
    // As fewer go on than there may be, one has ended.
    if (this.#runs.size >= this.limits.runs) this.#remove(this.#ended.keys().next().value!);
    const run = new Run(name, of, source, this.limits, {
      report: (message, error) => report(`run ${name}: ${message}`, error),
      grew: (bytes) => this.#grew(bytes),
      hadShare: () => this.#hadShare(),
      ended: () => {
        draining.removeEventListener("abort", run);
        const stop = clock.after(keepRuns * 1_000, () => {
          this.#ended.set(run, null);
          this.#drop(run);
        });
        this.#ended.set(run, stop);
      },
    });
    this.#runs.set(name, run);
    const done = run.released.promise.then(() => {
      permit.release();
      this.#working.delete(done);
    });
    this.#working.add(done);
    draining.addEventListener("abort", run);
    run.start();
    this.#starts.announce();
  }

  /** Resolves once a run has started, or at the abort. */
  nextStart(signal: AbortSignal): Promise<void> {
    return nextWave(signal, this.#starts);
  }

  /** Whether a cursor is one of the run that has this name now. */
  knows(name: string, cursor: string): boolean {
    return (this.#runs.get(name)?.history.after(cursor) ?? 0) > 0;
  }

  /** A source that follows a run, from its start or after a cursor; for an unknown run or cursor it is `lost`. */
  follow(name: string): Source {
    return (wanted) => {
      const { after } = wanted;
      return after === undefined || this.knows(name, after) ? this.subscribe(name, wanted) : lost();
    };
  }

  /** The events of a run, from its start or after a cursor: one that cannot be followed is a gap. An unknown run is `lost`. */
  subscribe(name: string, wanted: Wanted): AsyncIterable<StreamItem> {
    const run = this.#runs.get(name);
    if (run === undefined) return lost();
    return new Subscriber(wanted, { open: () => run, left: () => this.#drop(run) }, name);
  }

  /**
   * Cancels a run that goes on, and forgets one that has ended.
   *
   * @throws HttpError 404 when there is none of this name
   */
  delete(name: string): StartedRun {
    const run = this.#find(name);
    if (run.state === "running") run.cancel();
    else this.#remove(run);
    return run.started();
  }

  /** Cancels all that go on; resolves when they have cleaned up. */
  async close(): Promise<void> {
    this.#starts.close();
    for (const run of this.#runs.values()) run.cancel();
    // Those that rest come back once more.
    await new Promise<void>(afterOthers);
    for (const stop of this.#ended.values()) stop?.();
    await Promise.all(this.#working);
    for (const { waves } of this.#runs.values()) waves.close();
  }

  #find(name: string): Run {
    const run = this.#runs.get(name);
    if (run !== undefined) return run;
    throw new HttpError(404, `there is no run of this name: current value is ${quote(name)}`);
  }

  #hadShare(): boolean {
    if (this.#turnAt === null) {
      this.#turnAt = Date.now();
      endOfTurn(() => this.#turnAt = null);
    }
    return Date.now() - this.#turnAt >= sliceMs;
  }

  #grew(bytes: number): void {
    const { runsBytes } = this.limits;
    this.#bytes += bytes;
    while (this.#bytes > runsBytes && this.#ended.size > 0) this.#remove(this.#ended.keys().next().value!);
    if (this.#bytes <= runsBytes) return;
    shrink(this.#runs, runsBytes);
    this.#bytes = this.#runs.values().reduce((sum, { size }) => sum + size, 0);
  }

  /** A run whose time is over goes with its last reader. */
  #drop(run: Run): void {
    if (this.#ended.get(run) === null && !run.inUse) this.#remove(run);
  }

  /** Who still reads it gets a gap, and its end. */
  #remove(run: Run): void {
    this.#ended.get(run)?.();
    this.#ended.delete(run);
    this.#runs.delete(run.name);
    this.#bytes -= run.size;
    run.trim(0);
  }
}

// deno-lint-ignore require-yield -- it has nothing but its end
async function* lost(): AsyncGenerator<never> {
  throw new StreamEnd("lost");
}
