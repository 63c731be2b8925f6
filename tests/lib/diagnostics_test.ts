import { assertEquals, assertMatch } from "@std/assert";
import { diagnostics, type LogFormat } from "../../lib/diagnostics.ts";

/** What is printed of one report, made at the first moment of 2030. */
function printed(format: LogFormat, message: string, error?: unknown, id?: string): string {
  const lines: string[] = [];
  const report = diagnostics(format, { print: (line) => void lines.push(line) }, () => Date.UTC(2030, 0));
  report(message, error, id);
  assertEquals(lines.length, 1);
  return lines[0];
}

Deno.test("a line of text has time, level, the request's id or a hyphen, and the message", () => {
  assertEquals(printed("text", "too slow"), "2030-01-01T00:00:00.000Z warning - too slow");
  assertEquals(
    printed("text", "too slow", undefined, "a-1"),
    "2030-01-01T00:00:00.000Z warning a-1 too slow",
  );
});

Deno.test("a failure is an error, with its stack on the same line", () => {
  const line = printed("text", "a request failed", new TypeError("no"), "a-1");
  assertMatch(line, /^2030-01-01T00:00:00\.000Z error a-1 a request failed: TypeError: no \| at .*$/);
});

Deno.test("a line of JSON has the same as fields", () => {
  const { error, ...rest } = JSON.parse(printed("json", "a request failed", new TypeError("no"), "a-1"));
  assertEquals(rest, {
    time: "2030-01-01T00:00:00.000Z",
    level: "error",
    id: "a-1",
    message: "a request failed",
  });
  assertMatch(error, /^TypeError: no\n {4}at /);
});

Deno.test("an error that the operator has made is its message, without a stack", () => {
  assertEquals(
    printed("text", "still as before", "line 2 is wrong"),
    "2030-01-01T00:00:00.000Z error - still as before: line 2 is wrong",
  );
  assertEquals(JSON.parse(printed("json", "still as before", "line 2 is wrong")).error, "line 2 is wrong");
});

Deno.test("what a file is called by does nothing to a terminal, and splits no line", () => {
  const name = "a\x1b[2J\x7f\x85\x9b2J\u2028\u202e";
  const escaped = "a\\u001b[2J\\u007f\\u0085\\u009b2J\\u2028\\u202e";
  assertEquals(printed("text", name), `2030-01-01T00:00:00.000Z warning - ${escaped}`);
  const line = printed("json", name);
  assertMatch(line, /^[ -~]*$/);
  assertEquals(JSON.parse(line).message, name);
});

Deno.test("a message cannot begin a line of its own", () => {
  assertEquals(printed("text", "a\nb"), "2030-01-01T00:00:00.000Z warning - a | b");
  assertEquals(printed("json", "a\nb").includes("\n"), false);
});
