import type { SensorType } from "./declared.ts";

/** A sensor whose values are posted. */
export const pushSensor: SensorType = () => null;
