import { assertEquals } from "@std/assert";
import { PublishedKeys, rememberedKeys } from "../../../lib/channels/published_keys.ts";
import { FakeClock } from "../../support/fake_clock.ts";

Deno.test("a key is remembered for five minutes, whatever comes after it", () => {
  const clock = new FakeClock();
  const keys = new PublishedKeys(clock);
  keys.add("a", "", "1");
  clock.jump(290_000);
  keys.add("b", "", "2");
  clock.jump(20_000);
  keys.add("c", "", "3");
  clock.jump(279_000);
  assertEquals(["a", "b", "c", "d"].map((key) => keys.find(key, "")), ["1", "2", "3", undefined]);
});

Deno.test("a key is forgotten after ten minutes", () => {
  const clock = new FakeClock();
  const keys = new PublishedKeys(clock);
  keys.add("a", "", "1");
  clock.jump(600_001);
  assertEquals(keys.find("a", ""), undefined);
  assertEquals(keys.find("a", ""), undefined);
});

Deno.test("of very many keys the last ten thousand are remembered, and at most twice as many", () => {
  const keys = new PublishedKeys(new FakeClock());
  for (let n = 0; n < 5 * rememberedKeys; n++) keys.add(String(n), "", String(n));
  const known = Array.from({ length: 5 * rememberedKeys }, (_, n) => keys.find(String(n), "") !== undefined);
  assertEquals(known.slice(-rememberedKeys).every(Boolean), true);
  assertEquals(known.filter(Boolean).length <= 2 * rememberedKeys, true);
});
