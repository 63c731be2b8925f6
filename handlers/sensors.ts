import { described } from "../lib/handler.ts";
import { jsonAnswer, list, object, streamAnswers } from "../lib/http/answers.ts";
import { int, many, segment, streamParams, text } from "../lib/http/params.ts";
import { history, latest } from "../lib/sensors/answers.ts";
import { postedBody, postedNumber } from "../lib/sensors/posted.ts";
import type { Reading } from "../lib/sensors/sensor.ts";
import type { StreamEvent } from "../lib/stream/event.ts";
import { json } from "../lib/stream/json.ts";
import { streamResponse } from "../lib/stream/response.ts";

const noStore = { "Cache-Control": "no-store" };

/** A reading as text: `TIME ID VALUE UNIT`, or the state and its reason in place of the value. */
const line = ({ data: { time, id, value, unit, state, reason } }: StreamEvent<Reading>) =>
  `${time} ${id} ` + (state === "ok" ? `${value} ${unit}`.trimEnd() : `${state}: ${reason}`);

/** GET /sensors: the last reading of each sensor. */
export const sensors = described(
  { answers: { 200: jsonAnswer("the latest readings", list(latest)) } },
  (_request, context) => json(context.app.sensors.list(), { headers: noStore }),
);

const id = segment("a sensor's id");
const unknown = "there is no sensor of this id";

/** GET /sensors/ID: its last reading. */
export const sensor = described(
  { params: { id }, answers: { 200: jsonAnswer("the latest reading", latest), 404: unknown } },
  (_request, context) => json(context.app.sensors.latest(context.params.id), { headers: noStore }),
);

/** GET /sensors/stream: readings as they are made; `?id=`, repeatable, chooses sensors. */
export const sensorStream = described({
  params: { id: many(text("a sensor's id; without any, all sensors")), ...streamParams },
  answers: streamAnswers("sse", "readings"),
}, (_request, context) => {
  const source = context.app.sensors.stream(context.params.id);
  return streamResponse(context, source, { format: "sse", line });
});

/** GET /sensors/ID/history: what a chart begins with, and the cursor that its stream goes on after. */
export const sensorHistory = described({
  params: { id, last: int({ min: 1, max: 1_000_000, default: 1_000_000 }, "up to so many, the newest") },
  answers: {
    200: jsonAnswer("`[time, value]` pairs, and what `/sensors/stream?id=ID&after=` goes on from", history),
    404: unknown,
  },
}, (_request, { app, params: { id, last } }) => json(app.sensors.history(id, last), { headers: noStore }));

/** POST /sensors/ID: the value of a push sensor, as a JSON number or `{"value": number}`. */
export const pushReading = described({
  params: { id },
  body: postedBody,
  answers: {
    201: jsonAnswer("the id of the reading", object({ id: "string" })),
    404: unknown,
    409: "the sensor is read by the server",
  },
}, async (_request, context) => {
  const push = context.app.sensors.pusher(context.params.id);
  const value = postedNumber(await context.text());
  return json({ id: push(value) }, { status: 201 });
});
