import { every } from "../stream/clock.ts";
import { gap } from "../stream/event.ts";
import { SourceState } from "../stream/events.ts";
import type { PartSource } from "../stream/part.ts";
import { absentCursor, absentSince, parseCursor } from "./cursor.ts";
import { logRecords } from "./log_events.ts";
import { type LogFiles, lookMs } from "./log_files.ts";
import type { LogFollower } from "./log_follower.ts";
import { unless } from "./refused.ts";

/** One log among several sources: from now on, or after a cursor. One that is not there is waited for, in every folder. */
export function logSource(files: LogFiles, follower: LogFollower, name: string): PartSource {
  return async function* (wanted) {
    const { format, signal } = wanted;
    let { after } = wanted;
    const cursor = after === undefined ? null : parseCursor(after);
    const wasAbsent = cursor !== null && absentSince(cursor) !== null;
    // What came back with a position is waited for where it was.
    let place = await files.find(name, wasAbsent ? undefined : after).catch(unless(404));
    let here = place !== null && await place.stat() !== null;
    if (place === null) {
      if (after !== undefined && !wasAbsent) yield gap(after, null, null);
      // All that is written to it from now on is new.
      after = wasAbsent ? after : absentCursor(Date.now());
      wanted.begun(after!);
      yield new SourceState("absent", after);
      for await (const _ of every(lookMs, signal)) {
        place = await files.awaited(name);
        if (place !== null) break;
      }
      here = true;
      yield new SourceState("live");
    } else if (!here) yield new SourceState("absent", after);
    const records = logRecords(follower, place!, { from: 0, follow: true });
    for await (const item of records({ after, format, signal })) {
      if (!here && "bytes" in (item as object)) {
        here = true;
        yield new SourceState("live");
      }
      yield item;
    }
  };
}
