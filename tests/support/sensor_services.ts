import { Limits } from "../../lib/limits.ts";
import { Opens } from "../../lib/opens.ts";
import type { SensorServices } from "../../lib/sensors/declared.ts";

/** What the reads of declared sensors share, by default. */
export const services = (opens = new Opens()): SensorServices => ({ limits: new Limits(), opens });
