import type { SensorType } from "./declared.ts";
import { fileSensor } from "./file_sensor.ts";
import { httpSensor } from "./http_sensor.ts";

/** The types of declared sensors, by what `"type"` says. */
export const sensorTypes: Readonly<Record<string, SensorType>> = {
  http: httpSensor,
  file: fileSensor,
  push: () => null,
};
