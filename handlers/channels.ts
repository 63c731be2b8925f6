import { postedValues } from "../lib/channels/posted.ts";
import { HttpError } from "../lib/errors.ts";
import { json } from "../lib/json.ts";
import { quote } from "../lib/params.ts";
import type { Handler } from "../lib/router.ts";
import { sensorChannel } from "../lib/sensors/sensor.ts";
import { streamResponse } from "../lib/stream_response.ts";

/** GET /channels/NAME: what is published there from now on, or after a cursor. */
export const subscribe: Handler = (request, context) => {
  const name = channelName(context.params.name);
  return streamResponse(
    request,
    context,
    ({ after, format }) => context.app.channels.subscribe(name, { after, format, signal: context.signal }),
    { format: "sse" },
  );
};

/** POST /channels/NAME: one event, or many as NDJSON, all of them or none. */
export const publish: Handler = async (request, context) => {
  const name = channelName(context.params.name);
  if (name === sensorChannel) {
    throw new HttpError(403, `the channel ${sensorChannel} is the server's own and cannot be posted to`);
  }
  const values = await postedValues(
    request.headers.get("content-type"),
    await context.app.bodies.text(request),
  );
  const id = await context.app.channels.publish(name, values);
  return json({ id, count: values.length }, { status: 201 });
};

function channelName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name;
  throw new HttpError(
    400,
    "a channel's name must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit: " +
      `current value is ${quote(name)}`,
  );
}
