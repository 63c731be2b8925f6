/**
 * Runs: a source that is run once under a name, for all who ask for it. Each gets everything from its start, or after its
 * last id, in the format that it asked for, also for a while after its end; who leaves stops nothing.
 *
 * @example
 * ```ts
 * import { exchange, every } from "@weir/weir";
 * import { Runs, share } from "@weir/weir/runs";
 * import { assertEquals } from "@std/assert";
 *
 * const runs = new Runs();
 * const handler = (request: Request) =>
 *   share(Object.assign(exchange(request), { runs }), "report", async function* ({ signal }) {
 *     let page = 0;
 *     for await (const _ of every(10, signal)) {
 *       if (page++ === 3) return;
 *       yield `page ${page}`;
 *     }
 *   });
 *
 * const first = await handler(new Request("http://localhost/"));
 * await first.body!.cancel(); // The reader leaves, and the run goes on.
 * const second = await handler(new Request("http://localhost/"));
 * assertEquals(await second.text(), "page 1\npage 2\npage 3\n");
 * await runs.close();
 * ```
 *
 * @module
 */
export type { RunInfo, RunOf, RunState, StartedRun } from "./run_channel.ts";
export { Runs } from "./runs.ts";
export type { RunsLimits, RunsOptions } from "./runs_options.ts";
export { share, type ShareOptions } from "./share.ts";
