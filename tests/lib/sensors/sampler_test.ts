import { assert, assertEquals } from "@std/assert";
import { type Sample, sample } from "../../../lib/sensors/sampler.ts";
import { type Sensor, SensorError } from "../../../lib/sensors/sensor.ts";

function sensor(read: Sensor["read"], timing = { interval: 10, timeout: 5 }): Sensor {
  return { id: "test", unit: "", description: "", ...timing, read };
}

/** The first `count` samples of a sensor. */
async function samples(sensor: Sensor, count: number): Promise<Sample[]> {
  const stop = new AbortController();
  const all: Sample[] = [];
  await sample(sensor, (sample) => {
    all.push(sample);
    if (all.length === count) stop.abort();
  }, stop.signal);
  return all;
}

Deno.test("a sensor is read again and again", async () => {
  let value = 0;
  assertEquals(await samples(sensor(() => ++value), 3), [
    { state: "ok", value: 1 },
    { state: "ok", value: 2 },
    { state: "ok", value: 3 },
  ]);
});

Deno.test("a read that hangs is reported at each interval, is told so, and never has a second one beside it", async () => {
  let reads = 0;
  let told: AbortSignal | undefined;
  const hangs = sensor((signal) => {
    reads++;
    told = signal;
    return new Promise<number>(() => {});
  });
  const late = { state: "timeout", value: null, reason: "no value within 5 ms" } as const;
  assertEquals(await samples(hangs, 4), [late, late, late, late]);
  assertEquals([reads, told?.aborted], [1, true]);
});

Deno.test("a sensor that hung is read again once it lets go", async () => {
  let letGo = () => {};
  let reads = 0;
  const stop = new AbortController();
  const states: string[] = [];
  const slow = sensor(() => ++reads > 1 ? 7 : new Promise<number>((resolve) => letGo = () => resolve(1)));
  await sample(slow, ({ state }) => {
    states.push(state);
    if (states.length === 2) letGo();
    if (state === "ok") stop.abort();
  }, stop.signal);
  assertEquals(states.slice(0, 2), ["timeout", "timeout"]);
  assertEquals([states.at(-1), reads], ["ok", 2]);
});

Deno.test("with its interval as its timeout, a read that ends just after its abort misses no interval", async () => {
  const starts: number[] = [];
  let last: Promise<number> | undefined;
  const slow = sensor((signal) => {
    starts.push(performance.now());
    return last = new Promise((_, reject) => {
      signal.addEventListener("abort", () => setTimeout(() => reject(signal.reason), 8));
    });
  }, { interval: 40, timeout: 40 });
  const states = (await samples(slow, 15)).map(({ state }) => state);
  assertEquals(states, Array(15).fill("timeout"));
  assertEquals(starts.length, 15);
  // Each begins some 8 ms late: that must not add up, or intervals would drift.
  const drift = starts[14] - starts[0] - 14 * 40;
  assert(drift < 30, `the grid is ${drift} ms late`);
  await last?.catch(() => {});
});

Deno.test("with its interval as its timeout, a read that never ends is reported at each interval", async () => {
  let reads = 0;
  const start = performance.now();
  const hangs = sensor(() => {
    reads++;
    return new Promise<number>(() => {});
  }, { interval: 20, timeout: 20 });
  assertEquals((await samples(hangs, 10)).map(({ state }) => state), Array(10).fill("timeout"));
  assertEquals(reads, 1);
  const ms = performance.now() - start;
  assert(ms > 180 && ms < 300, `10 reports in ${ms} ms`);
});

Deno.test("a sample has the time at which its interval began, however long the read took", async () => {
  const stop = new AbortController();
  const began: number[] = [];
  const times: number[] = [];
  const slow = sensor(() => {
    began.push(Date.now());
    return new Promise<number>((resolve) => setTimeout(() => resolve(1), 30));
  }, { interval: 40, timeout: 40 });
  await sample(slow, (_, time) => {
    times.push(time);
    if (times.length === 3) stop.abort();
  }, stop.signal);
  assertEquals(times.map((time, i) => time <= began[i] && time > began[i] - 20), [true, true, true]);
});

Deno.test("a failure tells its public reason, and nothing of another error", async () => {
  const failures: Sensor["read"][] = [
    () => {
      throw new SensorError("it is unplugged");
    },
    () => Promise.reject(new Error("secret")),
    () => NaN,
  ];
  for (const [i, reason] of ["it is unplugged", "the read failed", "the value is not a number"].entries()) {
    assertEquals(await samples(sensor(failures[i]), 1), [{ state: "failed", value: null, reason }]);
  }
});

Deno.test("a sensor that hangs does not hold up another", async () => {
  const stop = new AbortController();
  const hanging = sample(
    sensor(() => new Promise<number>(() => {}), { interval: 60_000, timeout: 60_000 }),
    () => {},
    stop.signal,
  );
  assertEquals((await samples(sensor(() => 1), 5)).length, 5);
  stop.abort();
  await hanging;
});
