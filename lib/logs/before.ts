import { gap, type StreamEvent } from "../stream/event.ts";
import type { Limiter } from "../stream/limiter.ts";
import type { FollowOptions } from "./begin.ts";
import { parseCursor } from "./cursor.ts";
import { FileLines } from "./file_lines.ts";
import { FileFingerprint } from "./fingerprint.ts";
import { locate } from "./locate.ts";
import { FileStart } from "./log_file.ts";
import type { LogItem } from "./log_reader.ts";
import type { LogPlace } from "./log_place.ts";
import { startOfLast } from "./search.ts";

/** The last lines up to a cursor, of the file that it is of; a gap where that is no longer there. */
export async function* linesBefore(
  place: LogPlace,
  before: string,
  { from, wanted, signal }: Pick<FollowOptions, "from" | "wanted" | "signal">,
  { lineBytes, searchBytes, searches }: { lineBytes: number; searchBytes: number; searches: Limiter },
): AsyncGenerator<LogItem | StreamEvent<{ from: string }>> {
  const cursor = parseCursor(before);
  const found = cursor && await locate(place, cursor, lineBytes);
  if (!found) return yield gap(before, null, null);
  using file = new FileStart(found.file, found.at.offset);
  let [offset, whole] = [0, true];
  if (from !== "start") {
    using _permit = wanted && await searches.acquire({ signal });
    const search = { count: from, wanted, lineBytes, searchBytes, unfinished: false, signal };
    ({ offset, whole } = await startOfLast(file, search));
  }
  const at = await FileFingerprint.at(file, { offset }, lineBytes);
  if (at === null) return yield gap(before, null, null);
  if (!whole) yield { event: "searched", data: { from: at.cursor } };
  const lines = new FileLines(file, at, lineBytes);
  for (let item; (item = await lines.next(signal)) !== null;) {
    if (item === "truncated") return yield gap(lines.at.cursor, null, null);
    yield item;
  }
}
