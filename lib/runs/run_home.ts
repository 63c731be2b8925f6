import type { Run } from "./run.ts";
import type { RunChannel, RunIdentity, RunInfo, RunOf, StartedRun } from "./run_channel.ts";

/** What a registry of runs hears from its home. */
export interface RunHomeHooks {
  /** A run has started somewhere. */
  started(): void;
  /** The run of this process that has this name and epoch is to be stopped, or forgotten if it has ended. */
  stop(name: string, epoch: string): void;
}

/** Where several processes have their runs in common: each lives in the process that started it. What is asked for a request fails with a 503. */
export interface RunHome {
  hooks: RunHomeHooks;
  /** Takes a name for a run of this process; null when there is a run of this name. */
  claim(name: string, of: RunOf): Promise<RunIdentity | null>;
  /** Gives the others what a run of this process has, from now on to its end. */
  share(run: Run): void;
  /** A run of this process is no longer retained, or a name was claimed in vain. */
  forget(name: string, epoch: string): void;
  /**
   * Whether there is a run of this name; `get` then has what there was of it, for some seconds and while somebody reads it. With
   * a signal it waits until that can be known, or for the abort.
   */
  open(name: string, waiting?: AbortSignal): Promise<boolean>;
  /** A run that was opened. */
  get(name: string): RunChannel | undefined;
  /** What is known of a run; null when there is none of this name. */
  find(name: string): Promise<StartedRun | null>;
  /** The runs of all processes, in the order in which they started. */
  list(): Promise<RunInfo[]>;
  /** Stops a run of another process, or forgets it; null when there is none. */
  delete(name: string): Promise<StartedRun | null>;
  /** Resolves when the others have the ends of all runs, or soon if they cannot. */
  close(): Promise<void>;
}
