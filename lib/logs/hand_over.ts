import { FileFingerprint } from "./fingerprint.ts";
import type { LogFile } from "./log_file.ts";
import { isUnreadable, PackedLog } from "./packed_log.ts";
import type { Newer } from "./rotation.ts";

/**
 * Where to begin in the next file, which may have what was read already up to `at`, and whether nothing is missing before
 * that. `left`: where the file before was left.
 */
export async function handOver(
  next: LogFile,
  at: FileFingerprint,
  { complete, copied, gone }: Newer,
  left: FileFingerprint | undefined,
  lineBytes: number,
): Promise<{ from: FileFingerprint; certain: boolean }> {
  const start = FileFingerprint.start(next.info);
  const certain = complete && !copied;
  // A link may be pointed back.
  if (left?.prefix === start.prefix) {
    const from = await FileFingerprint.at(next, left, lineBytes);
    return { from: from ?? start, certain: certain && from !== null };
  }
  if (isUnreadable(next)) return { from: start, certain: false };
  // What was packed may be the file itself.
  const isOther = certain && !gone && !(next instanceof PackedLog);
  if (at.offset === 0 || isOther) return { from: start, certain };
  // Either may be a copy of the other: before the truncation, the log still has what the copy has. An editor replaces a
  // file by its edited copy: what that has of the last line tells it from a new file.
  const same = await FileFingerprint.at(next, at, lineBytes);
  if (copied) return { from: same ?? start, certain: complete && same !== null && at.isLong };
  const isNew = same === null ? !await at.hasLastLine(next) : at.isLong;
  return { from: same ?? start, certain: certain && isNew };
}
