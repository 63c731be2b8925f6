import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../../support/fake_clock.ts";
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

Deno.test("a read that hangs is aborted, reported at each interval, and not joined by a second one", async () => {
  let reads = 0;
  let given: AbortSignal | undefined;
  const hangs = sensor((signal) => {
    reads++;
    given = signal;
    return new Promise<number>(() => {});
  });
  const late = { state: "timeout", value: null, reason: "no value within 5 ms" } as const;
  assertEquals(await samples(hangs, 4), [late, late, late, late]);
  assertEquals([reads, given?.aborted], [1, true]);
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

/** The samples that a sensor gives in a time of its clock, which is the time of its reads. */
async function samplesWithin(ms: number, make: (clock: FakeClock) => Sensor): Promise<Sample[]> {
  const stop = new AbortController();
  const clock = new FakeClock();
  const all: Sample[] = [];
  const over = sample(make(clock), (sample) => void all.push(sample), stop.signal, undefined, clock);
  await clock.advance(ms);
  stop.abort();
  await over;
  return all;
}

Deno.test("a read that ends just after its abort misses no interval, and delays none", async () => {
  let reads = 0;
  const all = await samplesWithin(15 * 40 + 8, (clock) =>
    sensor((signal) => {
      reads++;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => clock.after(8, () => reject(signal.reason)));
      });
    }, { interval: 40, timeout: 40 }));
  assertEquals(all.map(({ state }) => state), Array(15).fill("timeout"));
  // Each begins 8 ms late: were that to add up, it would be three intervals by now.
  assertEquals(reads, 16);
});

Deno.test("with its interval as its timeout, a read that never ends is reported at each interval", async () => {
  let reads = 0;
  const all = await samplesWithin(10 * 20, () =>
    sensor(() => {
      reads++;
      return new Promise<number>(() => {});
    }, { interval: 20, timeout: 20 }));
  assertEquals(all.map(({ state }) => state), Array(10).fill("timeout"));
  assertEquals(reads, 1);
});

Deno.test("a sample has the time at which its interval began", async () => {
  const stop = new AbortController();
  const began: number[] = [];
  const times: number[] = [];
  const slow = sensor((signal) => {
    began.push(Date.now());
    return new Promise<number>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  }, { interval: 40, timeout: 30 });
  await sample(slow, (_, time) => {
    times.push(time);
    if (times.length === 3) stop.abort();
  }, stop.signal);
  for (const [i, time] of times.entries()) assert(time <= began[i] && (i === 0 || time > began[i - 1]));
});

Deno.test("a sample that cannot be taken is reported, and ends the sampling", async () => {
  const reports: string[] = [];
  const full = () => {
    throw new Error("full");
  };
  await sample(sensor(() => 1), full, new AbortController().signal, (message, error) => {
    reports.push(`${message}: ${(error as Error).message}`);
  });
  assertEquals(reports, ["the sensor test is no longer read: full"]);
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
