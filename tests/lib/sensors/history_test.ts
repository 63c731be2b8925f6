import { assertEquals } from "@std/assert";
import { History } from "../../../lib/sensors/history.ts";

Deno.test("a history keeps the last readings, oldest first, and where there was none", () => {
  const history = new History(3);
  assertEquals(history.pairs(), []);
  history.add(1, 10);
  history.add(2, null);
  assertEquals(history.pairs(), [[1, 10], [2, null]]);
  history.add(3, 0);
  history.add(4, -1.5);
  assertEquals(history.pairs(), [[2, null], [3, 0], [4, -1.5]]);
});
