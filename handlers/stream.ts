import { every } from "../lib/clock.ts";
import { gap, type StreamEvent } from "../lib/encoders.ts";
import { outbound, type Outcome } from "../lib/outbound.ts";
import { flag, wholeNumber } from "../lib/params.ts";
import type { Context, Handler } from "../lib/router.ts";
import { streamResponse } from "../lib/stream_response.ts";

interface Step {
  step: number;
  /** The calculation of this step. */
  result: number;
  /** What became of its outbound request; absent when none was asked for. */
  request?: Outcome;
}

interface StepsOptions {
  count: number;
  /** From the start of a step to the start of the next, in ms. */
  interval: number;
  request: boolean;
  after: string | undefined;
}

/** The steps after the cursor; each id is the number of its step. */
async function* steps(
  { count, interval, request, after = "0" }: StepsOptions,
  context: Context,
): AsyncGenerator<StreamEvent> {
  let step = /^\d{1,9}$/.test(after) ? Number(after) : Infinity;
  if (step > count) {
    step = 0;
    yield gap(after, "1", null);
  }
  const { app } = context;
  const upstream = app.config.upstream ?? `${app.origin}/async_route`;
  const ticks = interval > 0 ? every(interval, context.signal) : null;
  while (step++ < count) {
    if (ticks) await ticks.next();
    const data: Step = { step, result: step * 2 };
    if (request) data.request = await outbound(app, upstream, context.signal);
    yield { id: String(step), data };
  }
}

function line({ data }: StreamEvent): string {
  const { step, result, request } = data as Step;
  if (request === undefined) return `step ${step}: ${step} x 2 = ${result}`;
  const { error, ms } = request;
  const failed = error === "status" ? `failed with status ${request.status}` : `failed: ${error}`;
  const outcome = error === undefined ? `answered ${request.status}` : failed;
  return `step ${step}: ${step} x 2 = ${result}, upstream ${outcome} after ${ms} ms`;
}

/** GET /stream: steps that mix a calculation with an outbound request, each as soon as it is done. */
export const stream: Handler = (request, context) => {
  const query = context.url.searchParams;
  const options = {
    count: wholeNumber(query, "count", { min: 1, max: 1_000_000, fallback: 5 }),
    interval: wholeNumber(query, "interval", { min: 0, max: 60_000, fallback: 1_000 }),
    request: flag(query, "request", true),
  };
  return streamResponse(request, context, ({ after }) => steps({ ...options, after }, context), { line });
};
