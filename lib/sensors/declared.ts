import { resolve } from "node:path";
import type { Limits } from "../limits.ts";
import type { Opens } from "../opens.ts";
import { quote } from "../stream/errors.ts";
import type { PushSensor, Sensor } from "./sensor.ts";

/** A sensors file that cannot be used; the message is one line for the operator. */
export class SensorsFileError extends Error {
  override name = "SensorsFileError";
}

/** A sensor that the sensors file declares. */
export type DeclaredSensor = Sensor | PushSensor;

/** What the reads of declared sensors share. */
export interface SensorServices {
  limits: Pick<Limits, "outboundBytes">;
  /** Opens the files that are read. */
  opens: Opens;
}

/** A type of sensor: takes its own fields from the declaration, and returns the read, or null when values are posted. */
export type SensorType = (fields: Fields, services: SensorServices) => Sensor["read"] | null;

/**
 * The fields of one object of the sensors file; each is taken once, and `finish` refuses those that are left. Every method
 * throws a {@linkcode SensorsFileError} that points at the field by its JSON Pointer (RFC 6901).
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

  /** A value that passes the test; `rule` says what it must. Only a field that is absent, not null, has its fallback. */
  take<T>(name: string, rule: string, test: (value: unknown) => boolean, fallback?: T): T {
    const value = Object.hasOwn(this.#left, name) ? this.#left[name] : fallback;
    delete this.#left[name];
    if (!test(value)) throw this.refuse(name, rule, value);
    return value as T;
  }

  /** A string that matches the pattern; `rule` says what it is. */
  text(name: string, pattern: RegExp, rule: string, fallback?: string): string {
    const test = (value: unknown) => typeof value === "string" && pattern.test(value);
    return this.take(name, `be ${rule}`, test, fallback);
  }

  /** A path, made absolute. */
  path(name: string): string {
    return resolve(this.folder, this.text(name, /^[^\0]+$/, "a path"));
  }

  whole(name: string, min: number, max: number, fallback: number): number {
    const test = (value: unknown) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
    return this.take(name, `be a whole number from ${min} to ${max}`, test, fallback);
  }

  number(name: string, fallback: number): number {
    return this.take(name, "be a finite number", Number.isFinite, fallback);
  }

  /** Refuses fields that have not been taken. */
  finish(): void {
    for (const name in this.#left) throw this.refuse(name, "be a known field", this.#left[name]);
  }

  /** The error of a field that is wrong: it `must` follow the rule. */
  refuse(name: string, rule: string, value: unknown): SensorsFileError {
    return refuse(`${this.pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, rule, value);
  }
}

function refuse(pointer: string, rule: string, value: unknown): SensorsFileError {
  const at = /^[!-~]{1,80}$/.test(pointer) ? pointer : quote(pointer);
  return new SensorsFileError(`${at} must ${rule}: current value is ${shown(value)}`);
}

function shown(value: unknown): string {
  if (value === undefined) return "absent";
  if (typeof value === "string") return quote(value);
  // JSON has no Infinity, but parsing 1e999 gives it.
  return typeof value === "number" ? String(value) : JSON.stringify(value).slice(0, 80);
}
