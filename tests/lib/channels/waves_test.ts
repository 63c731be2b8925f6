import { assertEquals } from "@std/assert";
import { Waves } from "../../../lib/channels/waves.ts";
import { endOfTurn } from "../../../lib/stream/clock.ts";
import { until } from "../../support/server.ts";

const turn = () => new Promise<void>(endOfTurn);

/** A waiter that counts, and waits again when `again` says so. */
function counter(waves: Waves, again: () => boolean = () => false) {
  const waiter = {
    woken: 0,
    wake() {
      waiter.woken++;
      if (again()) waves.wait(waiter.wake);
    },
  };
  waves.wait(waiter.wake);
  return waiter;
}

Deno.test("a wave wakes each waiter once, and not one that was forgotten", async () => {
  const waves = new Waves();
  const [stays, leaves] = [counter(waves), counter(waves)];
  waves.forget(leaves.wake);
  waves.announce();
  waves.announce();
  await turn();
  await turn();
  assertEquals([stays.woken, leaves.woken], [1, 0]);
});

Deno.test("what is announced during a wave makes another wave", async () => {
  const waves = new Waves();
  const waiter = counter(waves, () => {
    waves.announce();
    return waiter.woken < 3;
  });
  waves.announce();
  await until(() => waiter.woken === 3);
  waves.close();
});

Deno.test("close() cancels a wave that is due after its rest", async () => {
  const waves = new Waves();
  const waiter = counter(waves, () => {
    // A wave that takes time is followed by a rest.
    for (const end = performance.now() + 10; performance.now() < end;);
    waves.announce();
    return true;
  });
  waves.announce();
  await turn();
  await turn();
  waves.close();
  assertEquals(waiter.woken, 1);
});

Deno.test("after close() no wave starts", async () => {
  const waves = new Waves();
  const waiter = counter(waves);
  waves.close();
  waves.announce();
  await turn();
  assertEquals(waiter.woken, 0);
});
