import type { Script } from "../channels/redis/scripts.ts";
import { nextWave } from "../channels/waves.ts";
import { sleep } from "../stream/clock.ts";
import type { Run } from "./run.ts";
import { appendScript, endScript } from "./run_scripts.ts";

/** Events, and characters of them, that are sent to Redis together. */
const batchEvents = 250;
const batchChars = 262_144;
/** Time between two attempts on a run that Redis has lost, in ms. */
const againMs = 250;

/** How Redis is asked about a run: 1; 0 when the run was given up, -1 when Redis has nothing of it any more. */
export type AskRun = (script: Script, run: Run, args: readonly string[]) => Promise<number>;

/** What of a run of this process Redis has: everything, soon after its readers here have it. */
export class RunCopy {
  /** Resolves when Redis has its end, or is to have nothing more of it. */
  readonly done: Promise<void>;
  #next = 1;

  /** `ask` waits while Redis is away, and rejects at the abort. */
  constructor(readonly run: Run, readonly ask: AskRun, signal: AbortSignal) {
    this.done = this.#write(signal).catch((error) => {
      if (!signal.aborted) throw error;
    });
  }

  /** Redis has lost what it had. */
  again(): void {
    this.#next = 1;
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { run, run: { history } } = this;
    while (run.end === null || this.#next <= history.last) {
      if (this.#next > history.last) {
        await nextWave(signal, run.waves);
        continue;
      }
      const from = this.#next = Math.max(this.#next, history.oldest);
      const values: string[] = [];
      let chars = 0;
      let next = from;
      for (; next <= history.last && next < from + batchEvents && chars < batchChars; next++) {
        const { event = "", data: { json } } = history.event(next);
        values.push(json, event);
        chars += json.length;
      }
      const written = await this.ask(appendScript, run, [String(history.oldest), String(from), ...values]);
      if (written === 0) return run.cancel("lost");
      // It may have been set back meanwhile.
      if (written === 1 && this.#next === from) this.#next = next;
      // What Redis has lost is claimed again by the next renewal.
      if (written === -1) await sleep(againMs, signal);
    }
    await this.ask(endScript, run, [run.state, run.end.reason]);
  }
}
