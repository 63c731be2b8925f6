import type { Handler } from "../lib/handler.ts";
import { checkParams, streamParams } from "../lib/http/params.ts";
import type { Reading } from "../lib/sensors/sensor.ts";
import { HttpError, quote } from "../lib/stream/errors.ts";
import type { StreamEvent } from "../lib/stream/event.ts";
import { json } from "../lib/stream/json.ts";
import { streamResponse } from "../lib/stream/response.ts";

const noStore = { "Cache-Control": "no-store" };

/** A reading as text: `TIME ID VALUE UNIT`, or the state and its reason in place of the value. */
const line = ({ data: { time, id, value, unit, state, reason } }: StreamEvent<Reading>) =>
  `${time} ${id} ` + (state === "ok" ? `${value} ${unit}`.trimEnd() : `${state}: ${reason}`);

/** GET /sensors: the last reading of each sensor. */
export const sensors: Handler = (_request, context) => json(context.app.sensors.list(), { headers: noStore });

/** GET /sensors/ID: its last reading. */
export const sensor: Handler = (_request, context) =>
  json(context.app.sensors.latest(context.params.id), { headers: noStore });

/** GET /sensors/stream: readings as they are made; `?id=`, repeatable, chooses sensors. */
export const sensorStream: Handler = (_request, context) => {
  checkParams(context.query, streamParams, ["id"]);
  const source = context.app.sensors.stream(context.query.getAll("id"));
  return streamResponse(context, source, { format: "sse", line });
};

/** GET /sensors/ID/history: what a chart begins with, and the cursor that its stream goes on after. */
export const sensorHistory: Handler = (_request, context) =>
  json(context.app.sensors.history(context.params.id), { headers: noStore });

/** POST /sensors/ID: the value of a push sensor, as a JSON number or `{"value": number}`. */
export const pushReading: Handler = async (_request, context) => {
  const push = context.app.sensors.pusher(context.params.id);
  const value = number(await context.text());
  return json({ id: push(value) }, { status: 201 });
};

function number(body: string): number {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch { /* refused below */ }
  if (typeof value === "object" && value !== null && "value" in value) value = value.value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new HttpError(
    400,
    `the body must be a JSON number or {"value": number}: current value is ${quote(body)}`,
  );
}
