import { checkName } from "../http/params.ts";
import { Subscriber } from "../channels/subscriber.ts";
import { nextWave, Waves } from "../channels/waves.ts";
import { Limits } from "../limits.ts";
import { afterOthers, processClock } from "../stream/clock.ts";
import { HttpError, printReport, quote, type Report, StreamEnd } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";
import { Limiter } from "../stream/limiter.ts";
import type { Source, StreamItem, Wanted } from "../stream/source.ts";
import { RetainedRuns } from "./retained_runs.ts";
import { Run } from "./run.ts";
import type { RunChannel, RunIdentity, RunInfo, RunOf, StartedRun } from "./run_channel.ts";
import type { RunHome } from "./run_home.ts";
import type { RunsLimits, RunsOptions } from "./runs_options.ts";
import { TurnShare } from "./turn_share.ts";

/** The runs of a server, by name: those that go on, and those that have ended and are retained for a while. */
export class Runs {
  readonly #runs: RetainedRuns;
  readonly #working = new Set<Promise<void>>();
  readonly #starts = new Waves();
  readonly #limiter: Limiter;
  readonly #home: RunHome | null;
  readonly #report: Report;
  readonly #turns = new TurnShare();

  /** A registry without runs. */
  constructor(readonly limits: RunsLimits = new Limits(), options: RunsOptions = {}) {
    const { keepRuns = 600, share = null, home = null, report = printReport, clock = processClock } = options;
    this.#home = home;
    this.#report = report;
    this.#limiter = new Limiter(limits.runs, share);
    const removed = ({ name, identity: { epoch } }: Run) => home?.forget(name, epoch);
    this.#runs = new RetainedRuns(limits, keepRuns * 1_000, clock, removed);
    if (home === null) return;
    home.hooks = {
      started: () => this.#starts.announce(),
      stop: (name, epoch) => {
        const run = this.#runs.get(name);
        if (run?.identity.epoch === epoch) this.#stop(run);
      },
    };
  }

  /** Runs that go on now. */
  get running(): number {
    return this.#limiter.used;
  }

  /**
   * The runs, in the order in which they started.
   *
   * @throws HttpError 503 when those of other processes cannot be had
   */
  async list(): Promise<RunInfo[]> {
    const own = this.#runs.all().map((run) => run.info());
    const all = await this.#home?.list() ?? [];
    // Of its own this process knows best how they are.
    return [...new Map([...all, ...own].map((info) => [info.name, info])).values()];
  }

  /** Whether what there is of this name is known without asking elsewhere. */
  isHere(name: string): boolean {
    return this.#home === null || this.#runs.get(name) !== undefined;
  }

  /** Whether there is a run of this name. Where it is not here, {@linkcode Runs.bring} has to be asked first. */
  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  /**
   * Whether there is a run of this name, in whatever process; it can be followed then. With a signal it waits until that can
   * be known, or for the abort.
   *
   * @throws HttpError 503 when that cannot be known
   */
  async bring(name: string, waiting?: AbortSignal): Promise<boolean> {
    return this.#runs.get(name) !== undefined || await this.#home?.open(name, waiting) === true;
  }

  /** Waits for a run of another process to have what a cursor is of: a reader may bring it from there before Redis has it. */
  async reach(name: string, cursor: string | undefined, signal: AbortSignal): Promise<void> {
    if (cursor !== undefined) await this.#home?.get(name)?.reach(cursor, signal);
  }

  /**
   * One run, with what it was started with.
   *
   * @throws HttpError 404 when there is none of this name, 503 when that cannot be known
   */
  async find(name: string): Promise<StartedRun> {
    return this.#runs.get(name)?.started() ?? await this.#home?.find(name) ?? unknown(name);
  }

  /**
   * Starts a run, unless it is there already. Parameters that the request does not give are the run's own.
   *
   * @throws HttpError 400 for a name that cannot be one, 409 for a run of another route or of other parameters, 503 over the
   * limit of runs
   */
  start(name: string, of: RunOf, source: Source, exchange: Exchange): void {
    const existing = this.#get(name);
    if (existing === undefined) this.#begin(name, of, source, exchange);
    else existing.check(of, exchange.query);
  }

  /**
   * The same once {@linkcode Runs.bring} has been asked: another process may start a run of this name at the same time.
   *
   * @throws HttpError as `start` does, and 503 when that cannot be known
   */
  async startOnce(name: string, of: RunOf, source: Source, exchange: Exchange): Promise<void> {
    const home = this.#home;
    checkName("a run's", name);
    for (; home !== null && !this.has(name); await this.bring(name)) {
      const identity = await home.claim(name, of);
      if (identity === null) continue;
      try {
        return home.share(this.#begin(name, of, source, exchange, identity));
      } catch (error) {
        home.forget(name, identity.epoch);
        throw error;
      }
    }
    this.start(name, of, source, exchange);
  }

  #begin(name: string, of: RunOf, source: Source, exchange: Exchange, identity?: RunIdentity): Run {
    // The rest of the request must not live as long as the run.
    const { draining } = exchange;
    checkName("a run's", name);
    const permit = this.#limiter.admit("runs", exchange);
    this.#runs.makeRoom();
    const run = new Run(name, of, source, this.limits, {
      report: (message, error) => this.#report(`run ${name}: ${message}`, error),
      grew: (bytes) => this.#runs.grew(bytes),
      hadShare: () => this.#turns.used(),
      ended: () => {
        draining.removeEventListener("abort", run);
        this.#runs.ended(run);
      },
    }, identity);
    this.#runs.add(run);
    const done = run.released.promise.then(() => {
      permit.release();
      this.#working.delete(done);
    });
    this.#working.add(done);
    draining.addEventListener("abort", run);
    run.start();
    this.#starts.announce();
    return run;
  }

  /** Resolves once a run has started, or at the abort. */
  nextStart(signal: AbortSignal): Promise<void> {
    return nextWave(signal, this.#starts);
  }

  /** Whether a cursor is one of the run that has this name now. */
  knows(name: string, cursor: string): boolean {
    return (this.#get(name)?.history.after(cursor) ?? 0) > 0;
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
    const run = this.#get(name);
    if (run === undefined) return lost();
    const left = () => run instanceof Run && this.#runs.drop(run);
    return new Subscriber(wanted, { open: () => run, left }, name);
  }

  /** Cancels a run that goes on, and forgets one that has ended; throws as {@linkcode Runs.find} does. */
  async delete(name: string): Promise<StartedRun> {
    const run = this.#runs.get(name);
    if (run === undefined) return await this.#home?.delete(name) ?? unknown(name);
    this.#stop(run);
    return run.started();
  }

  /** Cancels all that go on; resolves when they have cleaned up. */
  async close(): Promise<void> {
    this.#starts.close();
    for (const run of this.#runs.all()) run.cancel();
    // Those that rest come back once more.
    await new Promise<void>(afterOthers);
    this.#runs.close();
    await Promise.all(this.#working);
    await this.#home?.close();
    for (const { waves } of this.#runs.all()) waves.close();
  }

  #get(name: string): RunChannel | undefined {
    return this.#runs.get(name) ?? this.#home?.get(name);
  }

  #stop(run: Run): void {
    if (run.state === "running") run.cancel();
    else this.#runs.remove(run);
  }
}

function unknown(name: string): never {
  throw new HttpError(404, `there is no run of this name: current value is ${quote(name)}`);
}

// deno-lint-ignore require-yield -- it has nothing but its end
async function* lost(): AsyncGenerator<never> {
  throw new StreamEnd("lost");
}
