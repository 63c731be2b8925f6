import { assertEquals } from "@std/assert";
import { Limits } from "../../../lib/limits.ts";
import { Readings } from "../../../lib/sensors/readings.ts";

Deno.test("a history has the last readings, oldest first, and null where there was no value", () => {
  const readings = new Readings(new Limits({ sensorReadings: 3 }));
  const add = (time: number, value: number | null) => {
    const state = value === null ? "failed" : "ok";
    readings.add({ id: "a", time: new Date(time).toISOString(), value, unit: "", state });
  };
  assertEquals(readings.history("a"), []);
  add(1, 10);
  add(2, null);
  assertEquals(readings.history("a"), [[1, 10], [2, null]]);
  add(3, 0);
  add(4, -1.5);
  assertEquals(readings.history("a"), [[2, null], [3, 0], [4, -1.5]]);
});
