import { assert, assertEquals, assertRejects } from "@std/assert";
import { getEventListeners } from "node:events";
import { Limiter } from "../../../lib/stream/limiter.ts";

const { signal } = new AbortController();

Deno.test("a limiter gives out as many permits as it has places", () => {
  const limiter = new Limiter(2);
  const first = limiter.tryAcquire();
  assert(first !== null && limiter.tryAcquire() !== null);
  assertEquals(limiter.tryAcquire(), null);
  assertEquals(limiter.used, 2);
  first.release();
  assert(limiter.tryAcquire() !== null);
});

Deno.test("a limiter without places gives out none", () => {
  assertEquals(new Limiter(0).tryAcquire(), null);
});

Deno.test("a permit that is released twice counts once", () => {
  const limiter = new Limiter(2);
  const first = limiter.tryAcquire()!;
  limiter.tryAcquire();
  first.release();
  first.release();
  first[Symbol.dispose]();
  assertEquals(limiter.used, 1);
});

Deno.test("`using` gives the place back when its block throws", () => {
  const limiter = new Limiter(1);
  try {
    using _permit = limiter.tryAcquire()!;
    assertEquals(limiter.used, 1);
    throw new Error("inside");
  } catch { /* as thrown */ }
  assertEquals(limiter.used, 0);
});

Deno.test("waiters get their places in the order they came", async () => {
  const limiter = new Limiter(1);
  const held = limiter.tryAcquire()!;
  const order: number[] = [];
  const waiting = [1, 2, 3, 4].map(async (n) => {
    using _permit = await limiter.acquire({ signal });
    assertEquals(limiter.used, 1);
    order.push(n);
  });
  assertEquals(limiter.waiting, 4);
  held.release();
  // The freed place belongs to the first in the queue already: nobody can come between.
  assertEquals(limiter.tryAcquire(), null);
  await Promise.all(waiting);
  assertEquals(order, [1, 2, 3, 4]);
  assertEquals([limiter.used, limiter.waiting], [0, 0]);
});

Deno.test("an abort leaves the queue, rejects with its reason and keeps the order of the others", async () => {
  const limiter = new Limiter(1);
  const held = limiter.tryAcquire()!;
  const controller = new AbortController();
  const gone = limiter.acquire({ signal: controller.signal });
  const stays = limiter.acquire({ signal });
  controller.abort(new RangeError("no longer wanted"));
  await assertRejects(() => gone, RangeError, "no longer wanted");
  assertEquals(limiter.waiting, 1);
  held.release();
  (await stays).release();
  assertEquals([limiter.used, limiter.waiting], [0, 0]);
});

Deno.test("an aborted signal takes no place, even when one is free", async () => {
  const limiter = new Limiter(1);
  await assertRejects(
    () => limiter.acquire({ signal: AbortSignal.abort(new RangeError("gone")) }),
    RangeError,
  );
  assertEquals([limiter.used, limiter.waiting], [0, 0]);
});

Deno.test("an abort after the place was granted does not lose it", async () => {
  const limiter = new Limiter(1);
  const held = limiter.tryAcquire()!;
  const controller = new AbortController();
  const acquired = limiter.acquire({ signal: controller.signal });
  held.release();
  controller.abort();
  (await acquired).release();
  assertEquals(limiter.used, 0);
});

Deno.test("a signal that waited a thousand times holds nothing of it", async () => {
  const limiter = new Limiter(1);
  const { signal } = new AbortController();
  for (let n = 0; n < 1_000; n++) {
    const held = limiter.tryAcquire()!;
    const acquired = limiter.acquire({ signal });
    held.release();
    (await acquired).release();
  }
  assertEquals(getEventListeners(signal, "abort").length, 0);
});
