import { sleep } from "../lib/stream/clock.ts";
import { json } from "../lib/stream/json.ts";
import type { Handler } from "../lib/handler.ts";

/** GET /async_route: the smallest handler, to copy from. It waits without holding anybody else up. */
export const asyncRoute: Handler = async (_request, context) => {
  await sleep(100, context.signal);
  return json({ message: "This is an async route" });
};
