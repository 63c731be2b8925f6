import { gap } from "../stream/event.ts";
import { ended, SourceState } from "../stream/events.ts";
import type { PartSource } from "../stream/part.ts";
import type { Runs } from "./runs.ts";

/**
 * One run among several sources: from its start, or after a cursor. One that is not there is waited for; after a run whose end
 * has been sent, another of its name is read from its start.
 */
export function runSource(runs: Runs, name: string): PartSource {
  return async function* (wanted) {
    let { after } = wanted;
    const { format, signal } = wanted;
    const isThere = await runs.bring(name, signal);
    const last = after?.endsWith(ended) ? after.slice(0, -ended.length) : after;
    await runs.reach(name, last, signal);
    if (last !== undefined && last !== after) after = runs.knows(name, last) ? last : undefined;
    if (!isThere) {
      if (after !== undefined) yield gap(after, null, null);
      yield new SourceState("absent");
      for (;;) {
        // Before it is looked for, as it may start meanwhile; an abort is met where it is awaited.
        const start = runs.nextStart(signal);
        start.catch(() => {});
        if (await runs.bring(name, signal)) break;
        await start;
      }
      yield new SourceState("live");
      after = undefined;
    }
    yield* runs.subscribe(name, { after, format, signal });
  };
}
