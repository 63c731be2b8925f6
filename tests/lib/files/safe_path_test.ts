import { assertEquals } from "@std/assert";
import { pathSegments } from "../../../lib/files/safe_path.ts";

const encoded: [string, string[] | null][] = [
  ["a", ["a"]],
  ["a/b.txt", ["a", "b.txt"]],
  ["%E6%97%A5%20%22", ['日 "']],
  ["a..b/c..", ["a..b", "c.."]],
  ["%2541", ["%41"]],
  ["", null],
  ["/a", null],
  ["a//b", null],
  ["..", null],
  ["a/../b", null],
  ["%2e%2e/b", null],
  [".hidden", null],
  ["a/.git/config", null],
  ["%2ehidden", null],
  ["a%2fb", null],
  ["a%5cb", ["a\\b"]],
  ["a\\b", ["a\\b"]],
  ["..%5cb", null],
  ["a%00", null],
  ["%ff", null],
  ["%", null],
];

for (const [path, segments] of encoded) {
  Deno.test(`pathSegments() of ${JSON.stringify(path)}`, () => {
    assertEquals(pathSegments(path, { encoded: true }), segments);
  });
}

Deno.test("pathSegments() takes a name from a query as it is", () => {
  assertEquals(pathSegments("a%2fb/100%", { encoded: false }), ["a%2fb", "100%"]);
  for (const path of ["/etc/passwd", "../x", "a/\0", "..\\x", ""]) {
    assertEquals(pathSegments(path, { encoded: false }), null);
  }
});
