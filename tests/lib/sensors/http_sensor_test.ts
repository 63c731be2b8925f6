import { assertEquals } from "@std/assert";
import { resolvePointer } from "../../../lib/sensors/http_sensor.ts";

// The document and the pointers of RFC 6901, section 5, and what leads nowhere.
Deno.test("a JSON Pointer leads where RFC 6901 says", async (test) => {
  const value = { foo: ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, 'k"l': 6, " ": 7, "m~n": 8 };
  const table: [pointer: string, expected: unknown][] = [
    ["", value],
    ["/foo", ["bar", "baz"]],
    ["/foo/0", "bar"],
    ["/", 0],
    ["/a~1b", 1],
    ["/c%d", 2],
    ["/e^f", 3],
    ['/k"l', 6],
    ["/ ", 7],
    ["/m~0n", 8],
    ["/foo/00", undefined],
    ["/foo/2", undefined],
    ["/foo/length", undefined],
    ["/nope", undefined],
    ["/nope/deeper", undefined],
    ["/constructor", undefined],
    ["/a~1b/toFixed", undefined],
  ];
  for (const [pointer, expected] of table) {
    await test.step(JSON.stringify(pointer), () => assertEquals(resolvePointer(value, pointer), expected));
  }
});
