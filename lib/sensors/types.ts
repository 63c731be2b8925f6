import type { SensorType } from "./declared.ts";
import { fileSensor } from "./file_sensor.ts";
import { httpSensor } from "./http_sensor.ts";
import { pushSensor } from "./push_sensor.ts";

/** Every type that a sensor can be declared with, by the name that its `type` says. */
export const sensorTypes: Readonly<Record<string, SensorType>> = {
  http: httpSensor,
  file: fileSensor,
  push: pushSensor,
};
