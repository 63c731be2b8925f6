import { quote } from "../stream/errors.ts";

/** A sensors file that cannot be used; the message is one line for the operator. */
export class SensorsFileError extends Error {
  /** The error's name. */
  override name = "SensorsFileError";
}

/** What every declared sensor has. */
export interface Common {
  /** As in {@linkcode Sensor}. */
  id: string;
  /** As in {@linkcode Sensor}. */
  unit: string;
  /** As in {@linkcode Sensor}. */
  description: string;
  /** In ms. */
  interval: number;
}

/** A sensor as the file of `--sensors` declares it, with its defaults. */
export type DeclaredSensor =
  | Common & { type: "http"; timeout: number; url: string; pointer: string }
  | Common & { type: "file"; timeout: number; path: string; scale: number; offset: number }
  | Common & { type: "push" };

/** How many sensors a file may declare. */
const maxSensors = 200;

/**
 * The sensors in a file `{"sensors": [{"id", "type", …}]}`. Every sensor has `id` and `type`, and may have `unit`,
 * `description` and `interval` (ms, 1,000 unless said). `http` needs `url` and may have `pointer`, the JSON Pointer to
 * the number; `file` needs `path` and may have `scale` and `offset`; both may have `timeout` (ms, the interval but at
 * most 5,000 unless said).
 *
 * @param taken ids that are in use already
 * @throws SensorsFileError that points at the field by its JSON Pointer (RFC 6901)
 */
export function parseDeclared(text: string, taken: readonly string[]): DeclaredSensor[] {
  let value: unknown;
  try {
    // A byte order mark may be ignored (RFC 8259, 8.1), and some editors write one.
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    // The message quotes the file, its line breaks and all.
    const message = (error as Error).message.replace(/[\s\p{Cc}]+/gu, " ");
    throw new SensorsFileError(`the file must be JSON: ${message}`);
  }
  const file = new Fields(value, "");
  const list = file.take("sensors");
  if (!Array.isArray(list)) throw refuse("/sensors", "be an array", list);
  if (list.length > maxSensors) throw refuse("/sensors", `have at most ${maxSensors} items`, list.length);
  file.finish();
  const ids = new Set(taken);
  return list.map((item, i) => {
    const sensor = declared(new Fields(item, `/sensors/${i}`));
    if (ids.has(sensor.id)) throw refuse(`/sensors/${i}/id`, "not be another sensor's", sensor.id);
    ids.add(sensor.id);
    return sensor;
  });
}

function declared(fields: Fields): DeclaredSensor {
  const type = fields.text("type", /^(http|file|push)$/, '"http", "file" or "push"');
  const id = fields.text(
    "id",
    // The stream of all sensors has the path that a sensor of this id would have.
    /^(?!stream$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit, and not \"stream\"",
  );
  const interval = fields.whole("interval", 100, 86_400_000, 1_000);
  const common = {
    id,
    unit: fields.text("unit", /^[^\r\n]{0,32}$/, "a text of at most 32 characters", ""),
    description: fields.text("description", /^[^\r\n]{0,200}$/, "a text of at most 200 characters", ""),
    interval,
  };
  let sensor: DeclaredSensor;
  if (type === "push") sensor = { ...common, type };
  else {
    const timeout = fields.whole("timeout", 1, interval, Math.min(interval, 5_000));
    sensor = type === "http"
      ? {
        ...common,
        type,
        timeout,
        url: fields.text("url", /^https?:\/\//i, "an http or https URL"),
        pointer: fields.text("pointer", /^(\/([^~]|~[01])*)?$/, "a JSON Pointer (RFC 6901)", ""),
      }
      : {
        ...common,
        type: "file",
        timeout,
        path: fields.text("path", /^[^\0]+$/, "a path"),
        scale: fields.number("scale", 1),
        offset: fields.number("offset", 0),
      };
    if (sensor.type === "http" && !URL.canParse(sensor.url)) {
      throw refuse(`${fields.at}/url`, "be an http or https URL", sensor.url);
    }
  }
  fields.finish();
  return sensor;
}

/** The fields of one object; each is taken once, and what nobody took is refused. */
class Fields {
  readonly #left: Record<string, unknown>;

  constructor(value: unknown, readonly at: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw refuse(at, "be an object", value);
    }
    this.#left = { ...value };
  }

  /** Null is a value like any other: only a field that is absent has its fallback. */
  take(name: string, fallback?: unknown): unknown {
    const value = Object.hasOwn(this.#left, name) ? this.#left[name] : fallback;
    delete this.#left[name];
    return value;
  }

  text(name: string, pattern: RegExp, rule: string, fallback?: string): string {
    const value = this.take(name, fallback);
    if (typeof value === "string" && pattern.test(value)) return value;
    throw refuse(`${this.at}/${name}`, `be ${rule}`, value);
  }

  whole(name: string, min: number, max: number, fallback: number): number {
    const value = this.take(name, fallback);
    if (Number.isInteger(value) && value as number >= min && value as number <= max) return value as number;
    throw refuse(`${this.at}/${name}`, `be a whole number from ${min} to ${max}`, value);
  }

  number(name: string, fallback: number): number {
    const value = this.take(name, fallback);
    if (Number.isFinite(value)) return value as number;
    throw refuse(`${this.at}/${name}`, "be a finite number", value);
  }

  finish(): void {
    for (const [name, value] of Object.entries(this.#left)) {
      const token = name.replaceAll("~", "~0").replaceAll("/", "~1");
      throw refuse(`${this.at}/${token}`, "be a known field", value);
    }
  }
}

/** Both the pointer and the value may come from the file, so they are told in a way that no terminal acts on. */
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
  // JSON leaves the later control characters as they are.
  return new SensorsFileError(
    message.replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}
