/** A source of numbers that is read at an interval. */
export interface Sensor {
  /** 1 to 64 letters, digits, `.`, `_` or `-`. */
  readonly id: string;
  /** What a value counts, such as `%`, `B` or `ms`; empty for a bare number. */
  readonly unit: string;
  /** In a few words, for people. */
  readonly description: string;
  /** From start to start of two reads, in ms. */
  readonly interval: number;
  /** Time that a read may take, in ms; at most the interval. */
  readonly timeout: number;
  /**
   * The value now. What it throws makes the reading `failed`, with the message of a {@linkcode SensorError} as the public
   * reason. Once the signal aborts its result no longer counts.
   */
  read(signal: AbortSignal): number | Promise<number>;
}

/** A sensor that is not read: its values are posted, and without one for three intervals it is stale. */
export interface PushSensor extends Omit<Sensor, "timeout" | "read"> {
  readonly push: true;
}

/** Why a read failed, in words that a client may see. */
export class SensorError extends Error {
  override name = "SensorError";
}

/** One reading, as it is published. */
export interface Reading {
  /** Of its sensor, as is `unit`. */
  id: string;
  /** When the interval of the read began, or the value arrived: ISO 8601. */
  time: string;
  /** Null unless the state is `ok`. */
  value: number | null;
  unit: string;
  /** `stale` is a push sensor that has sent nothing for three intervals. */
  state: "ok" | "failed" | "timeout" | "stale";
  /** Why there is no value. */
  reason?: string;
}
