import { postedValues } from "../lib/channels/posted.ts";
import { checkParams, streamParams } from "../lib/http/params.ts";
import { HttpError, quote } from "../lib/stream/errors.ts";
import { json } from "../lib/stream/json.ts";
import type { Handler } from "../lib/handler.ts";
import { streamResponse } from "../lib/stream/response.ts";

/** Readings have a stream of their own. */
const reserved = "sensors";

/** GET /channels: the list of channels. */
export const channels: Handler = async (_request, { app }) =>
  json(await app.channels.list(), { headers: { "Cache-Control": "no-store" } });

/** GET /channels/NAME: what is published there from now on, or after a cursor. */
export const subscribe: Handler = (_request, context) => {
  const name = channelName(context.params.name);
  if (name === reserved) {
    return new Response(null, {
      status: 308,
      headers: { Location: `/sensors/stream${context.url.search}`, "Cache-Control": "no-cache" },
    });
  }
  checkParams(context.query, streamParams);
  const { channels } = context.app;
  return streamResponse(context, (wanted) => channels.subscribe(name, wanted), { format: "sse" });
};

/** POST /channels/NAME: one event, or many as NDJSON, all of them or none. */
export const publish: Handler = async (request, context) => {
  const name = channelName(context.params.name);
  if (name === reserved) {
    throw new HttpError(409, `the name ${reserved} is reserved: readings are at /sensors/stream`);
  }
  const values = await postedValues(request.headers.get("content-type"), await context.text());
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
