import { dirname } from "node:path";
import type { Limits } from "../limits.ts";
import { Opens } from "../opens.ts";
import { type DeclaredSensor, Fields, type SensorServices, SensorsFileError } from "./declared.ts";
import { hostSensorIds } from "./host.ts";
import { sensorTypes } from "./types.ts";

/** Sensors that a file may declare. */
const maxSensors = 200;

/**
 * The sensors that the file at an absolute path declares; none without a file.
 *
 * @param name the flag or its variable, for messages
 * @throws SensorsFileError that points at the field
 */
export function readDeclared(path: string | null, name: string, limits: Limits): DeclaredSensor[] {
  if (path === null) return [];
  let text: string;
  try {
    // Opening a FIFO without a writer would wait for good.
    if (!Deno.statSync(path).isFile) throw new Error(`${path} is not a file`);
    text = Deno.readTextFileSync(path);
  } catch (error) {
    throw new SensorsFileError(`${name} must be a file that can be read: ${(error as Error).message}`);
  }
  try {
    return parseDeclared(text, dirname(path), hostSensorIds, { limits, opens: new Opens() });
  } catch (error) {
    throw new SensorsFileError(`${name} ${path}: ${(error as Error).message}`);
  }
}

/**
 * The sensors in a file `{"sensors": [{"id", "type", …}]}`. A sensor has `id` and `type`, and may have `unit`,
 * `description`, `interval` (ms) and, if it is read, `timeout` (ms); each type has fields of its own.
 *
 * @param folder relative paths start from it
 * @param taken ids that are in use already
 */
export function parseDeclared(
  text: string,
  folder: string,
  taken: readonly string[],
  services: SensorServices,
): DeclaredSensor[] {
  let value: unknown;
  try {
    // A byte order mark may be ignored (RFC 8259, 8.1), and some editors write one.
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    // The message quotes the file, its line breaks and all.
    const message = (error as Error).message.replace(/[\s\p{Cc}]+/gu, " ");
    throw new SensorsFileError(`the file must be JSON: ${message}`);
  }
  const file = new Fields(value, "", folder);
  const list = file.take<unknown[]>("sensors", "be an array", Array.isArray);
  if (list.length > maxSensors) throw file.refuse("sensors", `have at most ${maxSensors} items`, list.length);
  file.finish();
  const ids = new Set(taken);
  return list.map((item, i) => {
    const fields = new Fields(item, `/sensors/${i}`, folder);
    const sensor = declaredSensor(fields, services);
    fields.finish();
    if (ids.has(sensor.id)) throw fields.refuse("id", "not be another sensor's", sensor.id);
    ids.add(sensor.id);
    return sensor;
  });
}

function declaredSensor(fields: Fields, services: SensorServices): DeclaredSensor {
  const names = Object.keys(sensorTypes);
  const rule = new Intl.ListFormat("en-GB", { type: "disjunction" }).format(names.map((name) => `"${name}"`));
  const type = sensorTypes[fields.text("type", new RegExp(`^(${names.join("|")})$`), rule)];
  const common = {
    id: fields.text(
      "id",
      // The stream of all sensors has the path that a sensor of this id would have.
      /^(?!stream$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      "1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit, and not \"stream\"",
    ),
    interval: fields.whole("interval", 100, 86_400_000, 1_000),
    unit: fields.text("unit", /^[^\r\n]{0,32}$/, "a text of at most 32 characters", ""),
    description: fields.text("description", /^[^\r\n]{0,200}$/, "a text of at most 200 characters", ""),
  };
  const read = type(fields, services);
  if (read === null) return { ...common, push: true };
  const { interval } = common;
  return { ...common, timeout: fields.whole("timeout", 1, interval, Math.min(interval, 5_000)), read };
}
