import { list, object } from "../http/answers.ts";
import type { Schema } from "../http/description.ts";

/** Schema of a `Latest`. */
export const latest: Schema = object({
  id: "string",
  unit: "string",
  description: "string",
  interval: "integer",
  time: { type: ["string", "null"], format: "date-time" },
  value: "number|null",
  state: { enum: ["ok", "failed", "timeout", "stale"] },
  "reason?": "string",
});

const pair: Schema = {
  type: "array",
  prefixItems: [{ type: "integer", description: "ms since 1970" }, { type: ["number", "null"] }],
  minItems: 2,
  maxItems: 2,
};

/** Schema of a `History`. */
export const history: Schema = object({ cursor: "string", readings: list(pair) });
