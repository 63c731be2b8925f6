import type { Limits } from "../limits.ts";
import type { ClientShare } from "../stream/client_share.ts";
import type { Clock } from "../stream/clock.ts";
import type { Report } from "../stream/errors.ts";
import type { RunHome } from "./run_home.ts";

/** Limits of {@linkcode Runs}. */
export type RunsLimits = Pick<Limits, "runs" | "runsBytes" | "runEvents" | "runBytes">;

/** How {@linkcode Runs} retain what has ended. */
export interface RunsOptions {
  /** Seconds for which a run is retained after its end. Default: 600. */
  keepRuns?: number;
  /** What one client may have running. Default: no bound. */
  share?: ClientShare | null;
  /** @internal Where it has its runs in common with other processes. Default: nowhere. */
  home?: RunHome | null;
  /** Where failures of runs are reported. Default: stderr. */
  report?: Report;
  /** Time, for a test. */
  clock?: Clock;
}
