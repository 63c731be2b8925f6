import { shrink } from "../channels/memory_channel.ts";
import type { RedisConnection } from "../channels/redis/connection.ts";
import type { Entry } from "../channels/redis/feed.ts";
import { RedisAway } from "../channels/redis/link.ts";
import type { Limits } from "../limits.ts";
import { sleep } from "../stream/clock.ts";
import { printReport, type Report } from "../stream/errors.ts";
import { RedisRun } from "./redis_run.ts";
import type { Run } from "./run.ts";
import type { RunIdentity, RunInfo, RunOf, StartedRun } from "./run_channel.ts";
import { type AskRun, RunCopy } from "./run_copy.ts";
import type { RunHome, RunHomeHooks } from "./run_home.ts";
import { loseScript, renewScript, startsKey } from "./run_scripts.ts";
import { asked, type FoundRun, RunStore } from "./run_store.ts";

/** Time between two renewals, and between two looks at the runs of others, in ms. */
const tickMs = 1_000;
/** Time after Redis was away in which a lease that is gone says nothing: its process may be about to renew it, in ms. */
const graceMs = 4_000;
/** Looks after which a run of another process that nobody reads is no longer followed. */
const idleLooks = 5;
/** Time for another process to stop a run, or to forget one, and between two looks whether it has, in ms. */
const stopMs = 3_000;
const forgetMs = 500;
const lookMs = 10;
/** Time for the ends of runs to reach Redis when the process ends, in ms. */
const closeMs = 1_000;

/** How {@linkcode RedisRuns} are made. */
export interface RedisRunsOptions {
  limits: Pick<Limits, "runEvents" | "runBytes" | "runsBytes">;
  /** Seconds for which a run is retained after its end. */
  keepRuns: number;
  /** Default: stderr. */
  report?: Report;
}

/** Runs that the processes of one Redis have in common: each lives where it was started, by a lease that is renewed. */
export class RedisRuns implements RunHome {
  hooks!: RunHomeHooks;
  readonly #store: RunStore;
  readonly #report: Report;
  /** The runs of this process. */
  readonly #copies = new Map<Run, RunCopy>();
  /** Those of others that were asked for, by their names. */
  readonly #opened = new Map<string, RedisRun>();
  readonly #stop = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #starts = {
    lastId: "0-0",
    take: (entries: Entry[]) => {
      this.#starts.lastId = entries.at(-1)![0];
      this.hooks.started();
    },
  };
  #awayAt = -Infinity;

  /** Its `hooks` have to be set at once. */
  constructor(readonly connection: RedisConnection, readonly options: RedisRunsOptions) {
    this.#store = new RunStore(connection, options.keepRuns);
    this.#report = options.report ?? printReport;
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
    const copy = new RunCopy(run, this.#ask, this.#stop.signal);
    this.#copies.set(run, copy);
    void copy.done.then(() => this.#copies.delete(run));
  }

  forget(name: string, epoch: string): void {
    const copies = [...this.#copies].filter(([run]) => run.name === name && run.identity.epoch === epoch);
    const copied = Promise.all(copies.map(([, { done }]) => done));
    // What is not forgotten ends by itself.
    copied.then(() => this.#store.forget(name, epoch)).catch(() => {});
  }

  async open(name: string): Promise<boolean> {
    const found = await asked(this.#store.find(name));
    let run = this.#opened.get(name);
    if (run !== undefined && run.found.epoch !== found?.epoch) {
      this.#close(run);
      run = undefined;
    }
    if (found === null) return false;
    if (run === undefined) {
      run = new RedisRun(this.connection, found, this.options.limits);
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
    const found = await asked(this.#store.find(name));
    return found && this.#started(found);
  }

  async list(): Promise<RunInfo[]> {
    return (await asked(this.#store.list())).map((found) => this.#info(found));
  }

  async delete(name: string): Promise<StartedRun | null> {
    const found = await asked(this.#store.find(name));
    if (found === null) return null;
    const { owner, epoch } = found;
    const isEnded = found.state !== "running";
    await asked(this.connection.tell(owner, `${name} ${epoch}`));
    const until = performance.now() + (isEnded ? forgetMs : stopMs);
    while (performance.now() < until) {
      const now = await asked(this.#store.find(name));
      if (now?.epoch !== epoch) {
        return this.#started(isEnded ? found : { ...found, state: "cancelled", entries: found.entries + 1 });
      }
      if (!isEnded && now.state !== "running") return this.#started(now);
      await sleep(lookMs, this.#stop.signal);
    }
    // Its process may have ended.
    if (isEnded) await asked(this.#store.forget(name, epoch));
    return this.#started(found);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const copied = new AbortController();
    const copying = Promise.all([...this.#copies.values()].map(({ done }) => done));
    void copying.then(() => copied.abort());
    await sleep(closeMs, copied.signal).catch(() => {});
    this.#stop.abort();
    await copying;
    this.connection.unfollow(startsKey, this.#starts);
    for (const run of this.#opened.values()) this.#close(run);
  }

  /** Asks until Redis is there. */
  readonly #ask: AskRun = async (script, { name, identity: { epoch } }, args) => {
    for (;;) {
      try {
        return await this.#store.run(script, name, epoch, args);
      } catch (error) {
        if (!(error instanceof RedisAway)) {
          this.#report(`the run ${name} could not be written to Redis`, error);
        }
        await sleep(tickMs / 4, this.#stop.signal);
      }
    }
  };

  #info(found: FoundRun): RunInfo {
    const { name, of: { route }, started, entries, isLeased } = found;
    const state = found.state === "running" && !isLeased && this.#isSteady ? "lost" : found.state;
    const events = entries - (found.state === "running" ? 0 : 1);
    return { name, route, state, started, events, readers: this.#opened.get(name)?.readers ?? 0 };
  }

  #started(found: FoundRun): StartedRun {
    return { ...this.#info(found), params: found.of.params };
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
    shrink(this.#opened, this.options.limits.runsBytes);
    const own = [...this.#copies].map(([run, copy]) => this.#renew(run, copy));
    const others = [...this.#opened.values()].map((run) => this.#look(run));
    // One that fails is made up for by the next.
    await Promise.allSettled([...own, ...others]);
  }

  async #renew(run: Run, copy: RunCopy): Promise<void> {
    const { name, of, identity } = run;
    let renewed = await this.#store.run(renewScript, name, identity.epoch);
    if (renewed === -1) {
      // First, as its stream takes no number after a higher one.
      copy.again();
      renewed = await this.#store.claim(name, of, identity);
    }
    if (renewed === 0) run.cancel("lost");
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
