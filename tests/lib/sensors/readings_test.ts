import { assertEquals } from "@std/assert";
import { Limits } from "../../../lib/limits.ts";
import { Readings } from "../../../lib/sensors/readings.ts";
import { endOfTurn } from "../../../lib/stream/clock.ts";
import { ndjson } from "../../../lib/stream/formats/ndjson.ts";
import { Subscription } from "../../support/channel_store_contract.ts";

Deno.test("a history has the last readings, oldest first, and null where there was no value", () => {
  const readings = new Readings(new Limits({ sensorReadings: 3 }));
  const add = (time: number, value: number | null) => {
    const state = value === null ? "failed" : "ok";
    readings.add({ id: "a", time: new Date(time).toISOString(), value, unit: "", state });
  };
  assertEquals(readings.history("a").readings, []);
  add(1, 10);
  add(2, null);
  assertEquals(readings.history("a").readings, [[1, 10], [2, null]]);
  add(3, 0);
  add(4, -1.5);
  assertEquals(readings.history("a").readings, [[2, null], [3, 0], [4, -1.5]]);
});

Deno.test("a reader with a cursor of another process has the gap first", async () => {
  const readings = new Readings(new Limits());
  readings.add({ id: "a", time: new Date(1).toISOString(), value: 1, unit: "", state: "ok" });
  const wanted = { after: "sensors-other-1", format: ndjson, signal: AbortSignal.abort() };
  for (const ids of [undefined, new Set(["a"])]) {
    const { value } = await readings.stream(wanted, ids).next();
    assertEquals(value && "event" in value && value.event, "gap");
  }
});

/** Readings of which the latest four are retained. */
class Four implements Disposable {
  readonly #readings = new Readings(new Limits({ channelEvents: 4 }));
  readonly #stop = new AbortController();

  /** Adds a reading; returns its cursor. */
  add(id: string, value: number): string {
    return this.#readings.add({ id, time: new Date(value).toISOString(), value, unit: "", state: "ok" });
  }

  /** Readings of one sensor. */
  read(id: string, after: string): Stream {
    const wanted = { after, format: ndjson, signal: this.#stop.signal };
    return new Stream(this.#readings.stream(wanted, new Set([id])));
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#readings.close();
  }
}

class Stream extends Subscription {
  /** The next values. */
  async numbers(count: number): Promise<number[]> {
    return (await this.values(count) as { value: number }[]).map(({ value }) => value);
  }
}

Deno.test("a reader of one sensor gets its readings alone", async () => {
  using it = new Four();
  it.add("a", 1);
  it.add("b", 2);
  it.add("a", 3);
  const reader = it.read("a", "0");
  assertEquals(await reader.numbers(2), [1, 3]);
  it.add("b", 4);
  it.add("a", 5);
  assertEquals(await reader.numbers(1), [5]);
});

Deno.test("evicted readings of other sensors are no gap", async () => {
  using it = new Four();
  const after = it.add("a", 1);
  for (let i = 2; i < 20; i++) it.add("b", i);
  it.add("a", 20);
  assertEquals(await it.read("a", after).numbers(1), [20]);
});

Deno.test("evicted readings of the reader's own sensor are a gap without a count", async () => {
  using it = new Four();
  const after = it.add("a", 1);
  for (let i = 2; i < 20; i++) it.add("b", i);
  const reader = it.read("b", after);
  assertEquals((await reader.gap()).lost, null);
  assertEquals(await reader.numbers(4), [16, 17, 18, 19]);
});

Deno.test("a reader of one sensor that is too slow gets a gap", async () => {
  using it = new Four();
  it.add("a", 1);
  const reader = it.read("a", "0");
  assertEquals(await reader.numbers(1), [1]);
  for (let i = 2; i < 14; i++) it.add(i % 2 === 0 ? "a" : "b", i);
  assertEquals((await reader.gap()).lost, null);
  assertEquals(await reader.numbers(2), [10, 12]);
});

Deno.test("an abort ends a stream that waits for a reading", async () => {
  const it = new Four();
  const reader = await it.read("a", "0").joined();
  const ends = reader.ends().catch((error) => (error as DOMException).name);
  // By the end of the turn it waits.
  await new Promise<void>(endOfTurn);
  it[Symbol.dispose]();
  assertEquals(await ends, "AbortError");
});
