import { shrink } from "../channels/memory_channel.ts";
import type { Limits } from "../limits.ts";
import type { Clock } from "../stream/clock.ts";
import type { Run } from "./run.ts";

/** The runs of a process, by name: those that go on, and those that have ended and are retained for a while. */
export class RetainedRuns {
  readonly #runs = new Map<string, Run>();
  /** Those that have ended, the first before the others, with what stops their time; null when that is over. */
  readonly #ended = new Map<Run, (() => void) | null>();
  #bytes = 0;

  /** `keepMs`: time for which a run is retained after its end; `removed` is called when it no longer is. */
  constructor(
    readonly limits: Pick<Limits, "runs" | "runsBytes">,
    readonly keepMs: number,
    readonly clock: Clock,
    readonly removed: (run: Run) => void,
  ) {}

  get(name: string): Run | undefined {
    return this.#runs.get(name);
  }

  /** In the order in which they started. */
  all(): Run[] {
    return [...this.#runs.values()];
  }

  /** Makes room for one more; fewer go on than there may be. */
  makeRoom(): void {
    if (this.#runs.size >= this.limits.runs) this.remove(this.#ended.keys().next().value!);
  }

  add(run: Run): void {
    this.#runs.set(run.name, run);
  }

  /** Its time begins. */
  ended(run: Run): void {
    const stop = this.clock.after(this.keepMs, () => {
      this.#ended.set(run, null);
      this.drop(run);
    });
    this.#ended.set(run, stop);
  }

  /** A history takes this many bytes more than before, or fewer. */
  grew(bytes: number): void {
    const { runsBytes } = this.limits;
    this.#bytes += bytes;
    while (this.#bytes > runsBytes && this.#ended.size > 0) this.remove(this.#ended.keys().next().value!);
    if (this.#bytes <= runsBytes) return;
    shrink(this.#runs, runsBytes);
    this.#bytes = this.#runs.values().reduce((sum, { size }) => sum + size, 0);
  }

  /** A run whose time is over goes with its last reader. */
  drop(run: Run): void {
    if (this.#ended.get(run) === null && !run.inUse) this.remove(run);
  }

  /** Who still reads it gets a gap, and its end. */
  remove(run: Run): void {
    this.#ended.get(run)?.();
    this.#ended.delete(run);
    this.#runs.delete(run.name);
    this.#bytes -= run.size;
    run.trim(0);
    this.removed(run);
  }

  /** No time runs any more. */
  close(): void {
    for (const stop of this.#ended.values()) stop?.();
  }
}
