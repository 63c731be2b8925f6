import { assert, assertEquals, assertRejects } from "@std/assert";
import { endOfTurn, every, sleep } from "../../../lib/stream/clock.ts";

Deno.test("sleep() resolves after its time", async () => {
  const start = performance.now();
  await sleep(20, new AbortController().signal);
  assert(performance.now() - start >= 19);
});

Deno.test("sleep() rejects with the signal's reason as soon as it aborts, and leaves no timer", async () => {
  const controller = new AbortController();
  const slept = sleep(1_000_000, controller.signal);
  controller.abort(new RangeError("woken"));
  await assertRejects(() => slept, RangeError, "woken");
  await assertRejects(() => sleep(1_000_000, controller.signal), RangeError, "woken");
});

Deno.test("every() ticks at once, then from start to start", async () => {
  const ticks = every(30, new AbortController().signal);
  const start = performance.now();
  await ticks.next();
  assert(performance.now() - start < 25);
  for (let n = 1; n <= 3; n++) {
    await sleep(10, new AbortController().signal);
    await ticks.next();
    assert(performance.now() - start >= n * 30 - 2);
  }
});

Deno.test("every() begins a new grid after a long delay, in place of a burst", async () => {
  const ticks = every(20, new AbortController().signal);
  await ticks.next();
  await sleep(110, new AbortController().signal);
  await ticks.next();
  const late = performance.now();
  await ticks.next();
  assert(performance.now() - late >= 15);
});

Deno.test("every() ends with the signal's reason", async () => {
  const controller = new AbortController();
  const ticks = every(1_000_000, controller.signal);
  await ticks.next();
  const next = ticks.next();
  controller.abort(new RangeError("woken"));
  await assertRejects(() => next, RangeError, "woken");
  assertEquals((await ticks.next()).done, true);
});

Deno.test("every() with 0 does not wait, and still ends with its signal", async () => {
  const controller = new AbortController();
  const ticks = every(0, controller.signal);
  let timer = false;
  const id = setTimeout(() => timer = true);
  for (let n = 0; n < 100; n++) await ticks.next();
  assertEquals(timer, false);
  clearTimeout(id);
  controller.abort(new RangeError("woken"));
  await assertRejects(() => ticks.next(), RangeError, "woken");
});

Deno.test("endOfTurn() calls back in order, after every microtask that is ready", async () => {
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    endOfTurn(() => order.push("first"));
    endOfTurn(() => {
      order.push("second");
      endOfTurn(() => {
        order.push("next turn");
        resolve();
      });
    });
    (async () => {
      for (let n = 0; n < 100; n++) await null;
      order.push("microtasks");
    })();
  });
  assertEquals(order, ["microtasks", "first", "second", "next turn"]);
});
