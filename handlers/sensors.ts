import { HttpError, quote } from "../lib/stream/errors.ts";
import { json } from "../lib/stream/json.ts";
import type { Handler } from "../lib/handler.ts";
import type { Reading } from "../lib/sensors/sensor.ts";
import { readingLine } from "../lib/sensors/sensors.ts";
import type { StreamEvent } from "../lib/stream/event.ts";
import { streamResponse } from "../lib/stream/response.ts";

const readingText = ({ data }: StreamEvent<Reading>) => readingLine(data);

const noStore = { "Cache-Control": "no-store" };

/** GET /sensors: the latest reading of each sensor. */
export const sensors: Handler = (_request, context) => json(context.app.sensors.list(), { headers: noStore });

/** GET /sensors/stream: readings as they are made; `?id=`, repeatable, chooses sensors. */
export const sensorStream: Handler = (_request, context) => {
  const ids = context.query.getAll("id");
  // Here, and not in the generator: a HEAD starts none, and is refused as the GET is.
  context.app.sensors.check(ids);
  const tags = ids.length === 0 ? undefined : new Set(ids);
  return streamResponse(
    context,
    (wanted) => context.app.sensors.stream(wanted, tags),
    { format: "sse", line: readingText },
  );
};

/** GET /sensors/ID/history: `[time, value]` pairs, the time in ms since 1970. */
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
  } catch { /* told below */ }
  if (typeof value === "object" && value !== null && "value" in value) value = value.value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new HttpError(
    400,
    `the body must be a JSON number or {"value": number}: current value is ${quote(body)}`,
  );
}
