import { every } from "../clock.ts";
import { type ReadingState, type Sensor, SensorError } from "./sensor.ts";

/** How one read went. */
export interface Sample {
  /** Whether there is a value. */
  state: ReadingState;
  /** Null unless the state is `ok`. */
  value: number | null;
  /** Why there is no value, in words that a client may see. */
  reason?: string;
}

/**
 * Reads a sensor at its interval until the signal aborts; each interval gives one sample, whatever the sensor does. A read
 * that goes on after its timeout is not joined by a second one: until it ends, each interval reports the timeout again.
 * Never rejects.
 */
export async function sample(
  sensor: Sensor,
  report: (sample: Sample) => void,
  signal: AbortSignal,
): Promise<void> {
  const late = { state: "timeout", value: null, reason: `no value within ${sensor.timeout} ms` } as const;
  let reading: Promise<number> | null = null;
  try {
    for await (const _ of every(sensor.interval, signal)) {
      if (reading !== null) {
        report(late);
        continue;
      }
      const controller = new AbortController();
      const read = Promise.try(() => sensor.read(controller.signal));
      reading = read;
      const free = () => reading = null;
      read.then(free, free);
      const result = await settled(read, sensor.timeout, signal, controller);
      if (signal.aborted) return;
      report(result ?? late);
    }
  } catch (error) {
    if (!signal.aborted) console.error(`the sensor ${sensor.id} is not read any more:`, error);
  }
}

/** How the read ends, or null when it has not within `ms` or the signal aborts; then the controller aborts as well. */
function settled(
  read: Promise<number>,
  ms: number,
  signal: AbortSignal,
  controller: AbortController,
): Promise<Sample | null> {
  return new Promise((resolve) => {
    const done = (sample: Sample | null) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", give);
      resolve(sample);
    };
    const give = () => {
      controller.abort(new DOMException("nobody waits for this read any more", "AbortError"));
      done(null);
    };
    const timer = setTimeout(give, ms);
    signal.addEventListener("abort", give, { once: true });
    read.then((value) => done(checked(value)), (error) => done(failed(error)));
  });
}

function checked(value: number): Sample {
  if (Number.isFinite(value)) return { state: "ok", value };
  return { state: "failed", value: null, reason: "the value is not a number" };
}

function failed(error: unknown): Sample {
  return {
    state: "failed",
    value: null,
    reason: error instanceof SensorError ? error.message : "the read failed",
  };
}
