import { shrink } from "../channels/memory_channel.ts";
import type { RedisConnection } from "../channels/redis/connection.ts";
import type { Entry } from "../channels/redis/feed.ts";
import { RedisAway } from "../channels/redis/link.ts";
import type { Limits } from "../limits.ts";
import { sleep } from "../stream/clock.ts";
import { overloaded, printReport, type Report } from "../stream/errors.ts";
import { RedisRun } from "./redis_run.ts";
import type { Run } from "./run.ts";
import type { RunIdentity, RunInfo, RunOf, StartedRun } from "./run_channel.ts";
import { RunCopies } from "./run_copies.ts";
import type { RunHome, RunHomeHooks } from "./run_home.ts";
import { loseScript, startsKey } from "./run_scripts.ts";
import { asked, type FoundRun, RunStore, shown } from "./run_store.ts";

/** Time between two renewals, and between two looks at the runs of others, in ms. */
const tickMs = 1_000;
/** Time after Redis was away in which a lease that is gone says nothing: its process may be about to renew it, in ms. */
const graceMs = 9_000;
/** Looks after which a run of another process that nobody reads is no longer followed. */
const idleLooks = 5;
/** Time for another process to stop a run, or to forget one, and between two looks whether it has, in ms. */
const stopMs = 3_000;
const forgetMs = 500;
const lookMs = 10;

/** How {@linkcode RedisRuns} are made. */
export interface RedisRunsOptions {
  limits: Pick<Limits, "runs" | "runEvents" | "runBytes" | "runsBytes">;
  /** Seconds for which a run is retained after its end. */
  keepRuns: number;
  /** Default: stderr. */
  report?: Report;
}

/** Runs that the processes of one Redis have in common: each lives where it was started, by a lease that is renewed. */
export class RedisRuns implements RunHome {
  hooks!: RunHomeHooks;
  readonly #store: RunStore;
  readonly #copies: RunCopies;
  /** Those of others that were asked for, by their names. */
  readonly #opened = new Map<string, RedisRun>();
  readonly #closing = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #starts = {
    lastId: "0-0",
    take: (entries: Entry[]) => {
      this.#starts.lastId = entries.at(-1)![0];
      this.hooks.started();
    },
  };
  /** When it was last seen that Redis was away; it may have come back with this process. */
  #awayAt = performance.now() - graceMs / 2;

  /** Its `hooks` have to be set at once. */
  constructor(readonly connection: RedisConnection, readonly options: RedisRunsOptions) {
    this.#store = new RunStore(connection, options.keepRuns);
    this.#copies = new RunCopies(this.#store, options.report ?? printReport);
    connection.follow(startsKey, this.#starts);
    connection.onMessage = (message) => {
      const [name, epoch] = message.split(" ");
      this.hooks.stop(name, epoch);
    };
    this.#timer = setInterval(() => void this.#tick(), tickMs);
  }

  async claim(name: string, of: RunOf): Promise<RunIdentity | null> {
    const now = Date.now();
    // A number, as the ids of Redis' streams are.
    const epoch = `${now}${Math.floor(100 + Math.random() * 900)}`;
    const identity = { epoch, started: new Date(now).toISOString() };
    return await asked(this.#store.claim(name, of, identity)) === 1 ? identity : null;
  }

  share(run: Run): void {
    this.#copies.add(run);
  }

  forget(name: string, epoch: string): void {
    this.#copies.forget(name, epoch);
  }

  async open(name: string, waiting?: AbortSignal): Promise<boolean> {
    const found = await asked(waiting ? this.#findOnceBack(name, waiting) : this.#find(name));
    let run = this.#opened.get(name);
    if (run !== undefined && run.found.epoch !== found?.epoch) {
      this.#close(run);
      run = undefined;
    }
    if (found === null) return false;
    if (run === undefined) {
      const { limits } = this.options;
      if (this.#opened.size >= limits.runs) throw overloaded("runs", limits.runs, 5);
      const grew = () => shrink(this.#opened, limits.runsBytes);
      run = new RedisRun(this.connection, found, limits, grew);
      this.#opened.set(name, run);
    }
    run.idle = 0;
    await run.loaded;
    return true;
  }

  get(name: string): RedisRun | undefined {
    return this.#opened.get(name);
  }

  async find(name: string): Promise<StartedRun | null> {
    const found = await asked(this.#find(name));
    return found && this.#shown(found);
  }

  async list(): Promise<RunInfo[]> {
    const all = await asked(
      this.#store.list().then((all) => Promise.all(all.map((run) => this.#settled(run)))),
    );
    return all.filter((found) => found !== null).map((found) => {
      const { params: _, ...info } = this.#shown(found);
      return info;
    });
  }

  async delete(name: string): Promise<StartedRun | null> {
    const found = await asked(this.#find(name));
    if (found === null) return null;
    const { owner, epoch } = found;
    const isEnded = found.state !== "running";
    await asked(this.connection.tell(owner, `${name} ${epoch}`));
    const until = performance.now() + (isEnded ? forgetMs : stopMs);
    while (performance.now() < until) {
      const now = await asked(this.#store.find(name));
      if (now?.epoch !== epoch) {
        return this.#shown(isEnded ? found : { ...found, state: "cancelled", entries: found.entries + 1 });
      }
      if (!isEnded && now.state !== "running") return this.#shown(now);
      await sleep(lookMs, this.#closing.signal);
    }
    // Its process may have ended.
    if (isEnded) await asked(this.#store.forget(name, epoch));
    return this.#shown(found);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await this.#copies.close();
    this.connection.unfollow(startsKey, this.#starts);
    for (const run of this.#opened.values()) this.#close(run);
  }

  async #find(name: string): Promise<FoundRun | null> {
    const found = await this.#store.find(name);
    return found && await this.#settled(found);
  }

  /** Waits while Redis is away. */
  async #findOnceBack(name: string, signal: AbortSignal): Promise<FoundRun | null> {
    for (;;) {
      await this.connection.back(signal);
      try {
        return await this.#find(name);
      } catch (error) {
        if (!(error instanceof RedisAway)) throw error;
        await sleep(lookMs, signal);
      }
    }
  }

  /** A run whose process has gone has ended. */
  async #settled(found: FoundRun): Promise<FoundRun | null> {
    const { name, epoch, state, isLeased } = found;
    if (state !== "running" || isLeased || !this.#isSteady) return found;
    await this.#store.run(loseScript, name, epoch);
    return await this.#store.find(name);
  }

  #shown(found: FoundRun): StartedRun {
    return shown(found, this.#opened.get(found.name)?.readers);
  }

  /** Whether Redis has been there for long enough for every lease to be renewed. */
  get #isSteady(): boolean {
    return performance.now() - this.#awayAt > graceMs;
  }

  async #tick(): Promise<void> {
    if (this.connection.fault !== null) {
      this.#awayAt = performance.now();
      return;
    }
    const looks = [...this.#opened.values()].map((run) => this.#look(run));
    await Promise.allSettled([this.#copies.renew(), ...looks]);
  }

  async #look(run: RedisRun): Promise<void> {
    run.idle = run.inUse || !run.isLoaded ? 0 : run.idle + 1;
    if (run.idle > idleLooks) this.#close(run);
    else if (run.end === null && this.#isSteady) {
      const { name, epoch } = run.found;
      // An end comes as the last event; where nothing is there any more, none does.
      if (await this.#store.run(loseScript, name, epoch) === -1) run.finishAs("lost", "lost");
    }
  }

  #close(run: RedisRun): void {
    run.close();
    if (this.#opened.get(run.name) === run) this.#opened.delete(run.name);
  }
}
