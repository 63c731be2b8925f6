import { jsonAnswer, object } from "../lib/http/answers.ts";
import { sleep } from "../lib/stream/clock.ts";
import { json } from "../lib/stream/json.ts";
import { described } from "../lib/handler.ts";

const answers = { 200: jsonAnswer("a message", object({ message: "string" })) };

/** GET /async_route: the smallest handler, to copy from. It waits without holding anybody else up. */
export const asyncRoute = described({ answers }, async (_request, context) => {
  await sleep(100, context.signal);
  return json({ message: "This is an async route" });
});
