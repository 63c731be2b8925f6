import { RedisAway } from "../channels/redis/link.ts";
import { sleep } from "../stream/clock.ts";
import type { Report } from "../stream/errors.ts";
import type { Run } from "./run.ts";
import { type AskRun, RunCopy } from "./run_copy.ts";
import { renewScript } from "./run_scripts.ts";
import type { RunStore } from "./run_store.ts";

/** Time between two attempts to write to Redis, in ms. */
const againMs = 250;
/** Time for the ends of runs to reach Redis when the process ends, in ms. */
const closeMs = 1_000;

/** What Redis has of the runs of this process, and the leases of those. */
export class RunCopies {
  readonly #copies = new Map<Run, RunCopy>();
  readonly #stop = new AbortController();

  constructor(readonly store: RunStore, readonly report: Report) {}

  /** Writes a run to Redis, from now on to its end. */
  add(run: Run): void {
    const copy = new RunCopy(run, this.#ask, this.#stop.signal);
    this.#copies.set(run, copy);
    void copy.done.then(() => this.#copies.delete(run));
  }

  /** Forgets one, once its end has been written. */
  forget(name: string, epoch: string): void {
    const copies = [...this.#copies].filter(([run]) => run.name === name && run.identity.epoch === epoch);
    const written = Promise.all(copies.map(([, { done }]) => done));
    // What is not forgotten ends by itself.
    written.then(() => this.store.forget(name, epoch)).catch(() => {});
  }

  /** Renews all leases; what fails is made up for by the next time. */
  async renew(): Promise<void> {
    await Promise.allSettled([...this.#copies].map(([run, copy]) => this.#renew(run, copy)));
  }

  /** Resolves when all ends are written, or soon if they cannot be. */
  async close(): Promise<void> {
    const written = new AbortController();
    const writing = Promise.all([...this.#copies.values()].map(({ done }) => done));
    void writing.then(() => written.abort());
    await sleep(closeMs, written.signal).catch(() => {});
    this.#stop.abort();
    await writing;
  }

  /** Asks until Redis is there. */
  readonly #ask: AskRun = async (script, { name, identity: { epoch } }, args) => {
    for (;;) {
      try {
        return await this.store.run(script, name, epoch, args);
      } catch (error) {
        if (!(error instanceof RedisAway)) {
          this.report(`the run ${name} could not be written to Redis`, error);
        }
        await sleep(againMs, this.#stop.signal);
      }
    }
  };

  async #renew(run: Run, copy: RunCopy): Promise<void> {
    const { name, of, identity } = run;
    let renewed = await this.store.run(renewScript, name, identity.epoch);
    if (renewed === -1) {
      // First, as its stream takes no number after a higher one.
      copy.again();
      renewed = await this.store.claim(name, of, identity);
    }
    if (renewed === 0) run.cancel("lost");
  }
}
