import { assert } from "@std/assert";
import { isPlainTarget } from "../../../lib/http/router.ts";

Deno.test("isPlainTarget() sees what a URL parser would take away", () => {
  for (const url of ["http://h/files/a..b/c", "http://h/files/...", "http://h/f?x=/../\\"]) {
    assert(isPlainTarget(url), url);
  }
  for (const url of ["a\\b", "../a", "a/./b", "a/%2e%2E/b", "a/.%2e", "a/."]) {
    assert(!isPlainTarget(`http://h/${url}`), url);
  }
});
