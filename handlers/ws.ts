import { publicChannel } from "../lib/channels/channel_name.ts";
import { valueOfTyped } from "../lib/channels/value.ts";
import type { Context, Handler } from "../lib/handler.ts";
import { checkParams, intParam, streamParams } from "../lib/http/params.ts";
import { answerInOrder } from "../lib/sockets/in_order.ts";
import { streamSocket } from "../lib/sockets/stream_socket.ts";
import { upgrade } from "../lib/sockets/upgrade.ts";
import { sleep } from "../lib/stream/clock.ts";

const processed = (message: string) => `Processed data: ${message}`;

/** The same after a wait, which takes one of the slots that all sockets share. */
async function slowly(message: string, ms: number, { tasks }: Context["sockets"], signal: AbortSignal) {
  using _slot = await tasks.acquire({ signal });
  await sleep(ms, signal);
  return processed(message);
}

/** The channel as a stream, and what is sent published into it. */
const channel: Handler = (request, context) => {
  const name = publicChannel(context.query.get("channel")!);
  const { channels } = context.app;
  return streamSocket(request, context, (wanted) => channels.subscribe(name, wanted), {
    receive: (message) => channels.publish(name, [valueOfTyped(message)]),
  });
};

/**
 * GET /ws: a WebSocket. Each message is processed, eight of one socket at once, and answered in order; with `?delay=MS` the
 * work takes that long. With `?channel=NAME` it is the channel.
 */
export const ws: Handler = (request, context) => {
  const { query, sockets } = context;
  checkParams(query, ["channel", "delay", ...streamParams]);
  if (query.has("channel")) return channel(request, context);
  const ms = intParam(query, "delay", { min: 0, max: 10_000, fallback: 0 });
  return upgrade(
    request,
    context,
    (socket) =>
      answerInOrder(
        socket,
        ms === 0 ? processed : (message) => slowly(message, ms, sockets, socket.signal),
      ),
  );
};
