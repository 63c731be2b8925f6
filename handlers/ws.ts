import type { Handler } from "../lib/handler.ts";

/** What each message becomes; the signal goes to every await. */
function process(message: string, _signal: AbortSignal): Promise<string> {
  return Promise.resolve(`Processed data: ${message}`);
}

/** GET /ws: a WebSocket whose messages are processed asynchronously and answered in order. */
export const ws: Handler = (request, context) => context.app.sockets.upgrade(request, context, process);
