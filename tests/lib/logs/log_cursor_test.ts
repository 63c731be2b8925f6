import { assertEquals, assertNotEquals } from "@std/assert";
import { Mark, parseCursor } from "../../../lib/logs/cursor.ts";

const info = { dev: 35, ino: 36, birthtime: new Date(37), size: 0 } as Deno.FileInfo;
const bytes = (text: string) => new TextEncoder().encode(text);

function cursor(head: string, line: string, offset = head.length): string {
  const mark = new Mark(info);
  mark.head = bytes(head);
  return mark.cursor(offset, bytes(line), 0, bytes(line).length);
}

Deno.test("a cursor says which file and where, and is read again as it was", () => {
  const parsed = parseCursor(cursor("a\nb\n", "b\n"))!;
  assertEquals([parsed.dev, parsed.ino, parsed.birth, parsed.offset], [35, 36, 37, 4]);
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
  const one = cursor("head\nline\n", "line\n");
  assertNotEquals(cursor("head\nline\n", "lime\n"), one);
  assertNotEquals(cursor("heap\nline\n", "line\n"), one);
  assertNotEquals(cursor("head\nline\n", "line\n", 9), one);
});

Deno.test("only the head before the position counts, so that a file may grow after it", () => {
  assertEquals(cursor("a\nb\n", "a\n", 2), cursor("a\n", "a\n", 2));
});

Deno.test("both ends of a long line count", () => {
  const line = "2030-01-01 " + "x".repeat(200) + " 1\n";
  for (const other of [line.replace("01-01", "01-02"), line.replace(" 1", " 2")]) {
    assertNotEquals(cursor("head", line), cursor("head", other));
  }
});
