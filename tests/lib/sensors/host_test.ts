import { assertEquals } from "@std/assert";
import { cpuUse } from "../../../lib/sensors/host.ts";

Deno.test("cpuUse() takes waiting for the disk, which is in no counter, for no use", () => {
  const core = (user: number) => ({ user, nice: 10, sys: 200, irq: 5, idle: 3_000 });
  const look = (time: number, ...user: number[]) => ({ time, cores: user.map(core) });
  // Of two cores over 1 s one was busy for 300 ms; they are idle for none of the rest.
  assertEquals(cpuUse(look(500, 1_000, 1_000), look(1_500, 1_300, 1_000)), 15);
  // The counters move in steps of 10 ms, so they may seem to be ahead of the clock; a core that went away takes its own along.
  assertEquals(cpuUse(look(0, 0), look(995, 1_000)), 100);
  assertEquals(cpuUse(look(0, 1_000, 1_000), look(1_000, 1_500)), 0);
  assertEquals(cpuUse(look(0, 0), look(0, 0)), 0);
});
