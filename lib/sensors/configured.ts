import { dirname, resolve } from "node:path";
import type { Limits } from "../limits.ts";
import { type DeclaredSensor, parseDeclared, SensorsFileError } from "./declared.ts";
import { fileSensor } from "./file_sensor.ts";
import { hostSensorIds } from "./host.ts";
import { httpSensor } from "./http_sensor.ts";
import type { PushSensor, Sensor } from "./sensor.ts";

/**
 * What the file of `--sensors` declares; nothing without one. Relative paths in it start from its folder.
 *
 * @param path absolute
 * @param name what to blame: the flag or its variable
 * @throws SensorsFileError that points at the field
 */
export function readDeclared(path: string | null, name: string): DeclaredSensor[] {
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
    return parseDeclared(text, hostSensorIds).map((sensor) =>
      sensor.type === "file" ? { ...sensor, path: resolve(dirname(path), sensor.path) } : sensor
    );
  } catch (error) {
    throw new SensorsFileError(`${name} ${path}: ${(error as Error).message}`);
  }
}

/** The sensor that is declared so. */
export function configuredSensor(
  declared: DeclaredSensor,
  limits: Pick<Limits, "outboundBytes">,
): Sensor | PushSensor {
  switch (declared.type) {
    case "http":
      return httpSensor(declared, limits);
    case "file":
      return fileSensor(declared);
    case "push": {
      const { id, unit, description, interval } = declared;
      return { id, unit, description, interval, push: true };
    }
  }
}
