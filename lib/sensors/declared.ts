import { resolve } from "node:path";
import type { Limits } from "../limits.ts";
import type { Opens } from "../opens.ts";
import { quote } from "../stream/errors.ts";
import type { PushSensor, Sensor } from "./sensor.ts";

/** A sensors file that cannot be used; the message is one line for the operator. */
export class SensorsFileError extends Error {
  /** The error's name. */
  override name = "SensorsFileError";
}

/** Fields that every sensor declares. */
export type CommonFields = Pick<Sensor, "id" | "unit" | "description" | "interval">;

/** What the declared sensors of one server share. */
export interface SensorServices {
  /** Limits of reads. */
  limits: Pick<Limits, "outboundBytes">;
  /** Opens the files that are read. */
  opens: Opens;
}

/** A sensor that the sensors file declares. */
export interface DeclaredSensor {
  /** As in {@linkcode Sensor}. */
  readonly id: string;
  /** Makes it. */
  make(services: SensorServices): Sensor | PushSensor;
}

/**
 * A type of sensor: takes its own fields from the declaration, and returns what makes the sensor.
 *
 * @throws SensorsFileError for a field that is wrong
 */
export type SensorType = (fields: Fields, common: CommonFields) => DeclaredSensor["make"];

/**
 * The fields of one object of the sensors file; each is taken once, and `finish` refuses those that are left.
 * Every method throws a {@linkcode SensorsFileError} that points at the field by its JSON Pointer (RFC 6901).
 */
export class Fields {
  readonly #left: Record<string, unknown>;

  /** `pointer` leads to the object; relative paths in it start from `folder`. */
  constructor(value: unknown, readonly pointer: string, readonly folder: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw refuse(pointer, "be an object", value);
    }
    this.#left = { ...value };
  }

  /** Null is a value like any other: only a field that is absent has its fallback. */
  take(name: string, fallback?: unknown): unknown {
    const value = Object.hasOwn(this.#left, name) ? this.#left[name] : fallback;
    delete this.#left[name];
    return value;
  }

  /** A string that matches the pattern; `rule` says so in words. */
  text(name: string, pattern: RegExp, rule: string, fallback?: string): string {
    const value = this.take(name, fallback);
    if (typeof value === "string" && pattern.test(value)) return value;
    throw this.refuse(name, `be ${rule}`, value);
  }

  /** A path, made absolute. */
  path(name: string): string {
    return resolve(this.folder, this.text(name, /^[^\0]+$/, "a path"));
  }

  /** A whole number. */
  whole(name: string, min: number, max: number, fallback: number): number {
    const value = this.take(name, fallback);
    if (Number.isInteger(value) && value as number >= min && value as number <= max) return value as number;
    throw this.refuse(name, `be a whole number from ${min} to ${max}`, value);
  }

  /** A finite number. */
  number(name: string, fallback: number): number {
    const value = this.take(name, fallback);
    if (Number.isFinite(value)) return value as number;
    throw this.refuse(name, "be a finite number", value);
  }

  /** The field `timeout` of a sensor that is read, in ms. */
  timeout({ interval }: CommonFields): number {
    return this.whole("timeout", 1, interval, Math.min(interval, 5_000));
  }

  /** Refuses fields that have not been taken. */
  finish(): void {
    for (const [name, value] of Object.entries(this.#left)) {
      throw this.refuse(name, "be a known field", value);
    }
  }

  /** The error of a field that is wrong: it `must` follow the rule. */
  refuse(name: string, rule: string, value: unknown): SensorsFileError {
    return refuse(`${this.pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, rule, value);
  }
}

/** The pointer and the value may come from the file, so no control character of them reaches a terminal. */
function refuse(pointer: string, rule: string, value: unknown): SensorsFileError {
  const shown = value === undefined
    ? "absent"
    : typeof value === "string"
    ? quote(value)
    : typeof value === "number"
    ? String(value)
    : JSON.stringify(value).slice(0, 80);
  const at = /^[!-~]{1,80}$/.test(pointer) ? pointer : quote(pointer);
  const message = `${at} must ${rule}: current value is ${shown}`;
  // JSON leaves the control characters from U+007F on as they are.
  return new SensorsFileError(
    message.replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}
