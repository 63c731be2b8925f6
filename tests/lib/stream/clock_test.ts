import { assertEquals, assertRejects } from "@std/assert";
import { endOfTurn, every, sleep } from "../../../lib/stream/clock.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const signal = new AbortController().signal;

Deno.test("sleep() resolves after its time, and no earlier", async () => {
  const clock = new FakeClock();
  let slept = false;
  const sleeping = sleep(20, signal, clock).then(() => slept = true);
  await clock.advance(19);
  assertEquals(slept, false);
  await clock.advance(1);
  await sleeping;
});

Deno.test("sleep() rejects with the signal's reason as soon as it aborts, and leaves no timer", async () => {
  const controller = new AbortController();
  const slept = sleep(1_000_000, controller.signal);
  controller.abort(new RangeError("woken"));
  await assertRejects(() => slept, RangeError, "woken");
  await assertRejects(() => sleep(1_000_000, controller.signal), RangeError, "woken");
});

/** When each tick was due, and when it came. */
async function watch(ticks: AsyncIterable<number>, clock: FakeClock): Promise<void> {
  for await (const due of ticks) seen.push([due, clock.now()]);
}
let seen: [due: number, came: number][] = [];

Deno.test("every() ticks at once, then from start to start", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  seen = [];
  const watching = watch(every(30, stop.signal, clock), clock);
  await clock.advance(95);
  assertEquals(seen, [[0, 0], [30, 30], [60, 60], [90, 90]]);
  stop.abort(new RangeError("over"));
  await assertRejects(() => watching, RangeError, "over");
});

Deno.test("every() keeps to its grid when a reader comes late", async () => {
  const clock = new FakeClock();
  const ticks = every(30, signal, clock);
  await ticks.next();
  clock.jump(40);
  assertEquals((await ticks.next()).value, 30);
  const next = ticks.next();
  await clock.advance(20);
  assertEquals((await next).value, 60);
});

Deno.test("every() begins a new grid after a long delay, in place of a burst", async () => {
  const clock = new FakeClock();
  const ticks = every(20, signal, clock);
  await ticks.next();
  clock.jump(110);
  assertEquals((await ticks.next()).value, 110);
  const next = ticks.next();
  await clock.advance(20);
  assertEquals((await next).value, 130);
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
