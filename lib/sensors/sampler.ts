import { type Clock, every, processClock } from "../stream/clock.ts";
import { printReport, type Report } from "../stream/errors.ts";
import { type Reading, type Sensor, SensorError } from "./sensor.ts";

/** How one read went. */
export type Sample = Pick<Reading, "state" | "value" | "reason">;

/** Time that a read has to end after its abort, in ms; at most a quarter of the interval. */
const graceMs = 100;

/**
 * Reads a sensor at its interval until the signal aborts; each interval gives one sample, whatever the sensor does. A read
 * that goes on after its timeout is not joined by a second one: until it ends, each interval gives the timeout again.
 * Never rejects: a failure of `take`, which also gets when the interval began in ms since 1970, is reported and ends it.
 */
export async function sample(
  sensor: Sensor,
  take: (sample: Sample, time: number) => void,
  signal: AbortSignal,
  report: Report = printReport,
  clock: Clock = processClock,
): Promise<void> {
  const within = (read: Promise<Sample>, ms: number) => settled(read, ms, signal, controller, clock);
  const { interval, timeout } = sensor;
  const late: Sample = { state: "timeout", value: null, reason: `no value within ${timeout} ms` };
  let reading: Promise<Sample> | null = null;
  let controller = new AbortController();
  try {
    for await (const due of every(interval, signal, clock)) {
      const time = Date.now();
      // With its interval as its timeout it was aborted just now.
      if (reading !== null) await within(reading, Math.min(interval / 4, graceMs));
      let sample: Sample | null = null;
      if (reading === null && !signal.aborted) {
        controller = new AbortController();
        const read = reading = Promise.try(() => sensor.read(controller.signal)).then(checked, failed);
        read.then(() => reading = null);
        // One that begins late ends with its interval all the same, so that the lateness does not add up.
        const left = due + interval - clock.now();
        sample = await within(read, Math.min(timeout, Math.max(left, interval / 2)));
      }
      if (signal.aborted) return;
      take(sample ?? late, time);
    }
  } catch (error) {
    if (!signal.aborted) report(`the sensor ${sensor.id} is no longer read`, error);
  }
}

/** How the read ends, or null when it has not within `ms` or the signal aborts; then the controller aborts as well. */
function settled(
  read: Promise<Sample>,
  ms: number,
  signal: AbortSignal,
  controller: AbortController,
  clock: Clock,
): Promise<Sample | null> {
  return new Promise((resolve) => {
    const done = (sample: Sample | null) => {
      cancel();
      signal.removeEventListener("abort", give);
      resolve(sample);
    };
    const give = () => {
      controller.abort(new DOMException("the read took too long", "AbortError"));
      done(null);
    };
    const cancel = clock.after(ms, give);
    signal.addEventListener("abort", give, { once: true });
    read.then(done);
  });
}

function checked(value: number): Sample {
  if (Number.isFinite(value)) return { state: "ok", value };
  return { state: "failed", value: null, reason: "the value is not a number" };
}

function failed(error: unknown): Sample {
  const reason = error instanceof SensorError ? error.message : "the read failed";
  return { state: "failed", value: null, reason };
}
