import { assertEquals, assertNotEquals } from "@std/assert";
import { parseCursor, sameFile } from "../../../lib/logs/cursor.ts";
import { FileFingerprint } from "../../../lib/logs/fingerprint.ts";
import { granted } from "../../support/granted.ts";
import { LogFolder } from "../../support/log_reading.ts";

const info = { dev: 35, ino: 36, birthtime: new Date(37), size: 0 } as Deno.FileInfo;
const bytes = (text: string) => new TextEncoder().encode(text);

/** The position after a head and a line. */
function after(head: string, line: string): FileFingerprint {
  return FileFingerprint.start(info).after(bytes(head)).after(bytes(line), 0);
}

Deno.test("a cursor says which file and where, and is read again as it was", () => {
  const parsed = parseCursor(after("a\n", "b\n").cursor)!;
  assertEquals([parsed.dev, parsed.ino, parsed.birth, parsed.offset], [35, 36, 37, 4]);
});

Deno.test("a cursor stays what it was in earlier versions, which clients still hold", () => {
  assertEquals(after("", "").cursor, "z-10-11-0-18652613");
  assertEquals(after("head\n", "line\n").cursor, "z-10-11-10-712781235");
  assertEquals(after("h\n".repeat(200), `${"x".repeat(99)}\n`).cursor, "z-10-11-500-650085295");
});

Deno.test("what is no cursor is null", () => {
  for (
    const text of [
      "",
      "1-1-1-1",
      "1-1-1-1-x",
      "a b-1-1-1-1",
      "1-1-1-99999999999999999-1",
      "../../etc/passwd",
      "-----",
    ]
  ) {
    assertEquals(parseCursor(text), null, text);
  }
});

Deno.test("a cursor differs when the line, the head of the file or the position does", () => {
  const one = after("head\n", "line\n").cursor;
  assertNotEquals(after("head\n", "lime\n").cursor, one);
  assertNotEquals(after("heap\n", "line\n").cursor, one);
  assertNotEquals(after("head\nhead\n", "line\n").cursor, one);
});

Deno.test("only the head before a line counts, so that a file may grow after it", () => {
  const line = bytes("a\n");
  assertEquals(after("a\n", "b\n").cursorOf(2, line, 0, 2), after("", "a\n").cursor);
});

Deno.test("both ends of a long line count", () => {
  const line = "2030-01-01 " + "x".repeat(200) + " 1\n";
  for (const other of [line.replace("01-01", "01-02"), line.replace(" 1", " 2")]) {
    assertNotEquals(after("head", line).check, after("head", other).check);
  }
});

Deno.test({
  name: "a position that is read from a file is the one that reading up to it has led to",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    const lines = ["short\n", "x".repeat(70) + "\n", "y".repeat(300) + "\n", "\n", "last\n"];
    folder.append(lines.join(""));
    using file = (await folder.place.open())!;
    let at = FileFingerprint.start(file.info);
    for (const line of lines) {
      // Of a line over the limit, only the end counts.
      at = at.after(bytes(line), line.length > 101 ? undefined : 0);
      const read = (await FileFingerprint.at(file, at, 100))!;
      assertEquals([read.cursor, read.tail], [at.cursor, at.tail]);
    }
    assertEquals(await FileFingerprint.at(file, { offset: at.offset + 1 }, 100), null);
  },
});

Deno.test("without inodes a file is the same when it was born then and has only grown", () => {
  const file = (birth: number, size: number, mtime: number, ino: number | null = null) =>
    ({ dev: 1, ino, birthtime: new Date(birth), size, mtime: new Date(mtime) }) as Deno.FileInfo;
  assertEquals(sameFile(file(1, 5, 5), file(1, 5, 5)), true);
  assertEquals(sameFile(file(1, 5, 5), file(1, 6, 6)), true);
  assertEquals(sameFile(file(1, 5, 5), file(2, 5, 5)), false);
  assertEquals(sameFile(file(1, 5, 5), file(1, 4, 6)), false);
  assertEquals(sameFile(file(1, 5, 5), file(1, 6, 4)), false);
  assertEquals(sameFile(file(1, 5, 5, 7), file(1, 4, 4, 7)), true);
  assertEquals(sameFile(file(1, 5, 5, 7), file(1, 5, 5, 8)), false);
});
