import { every } from "../lib/stream/clock.ts";
import { gap, type StreamEvent } from "../lib/stream/event.ts";
import { outbound, type Outcome } from "../lib/http/outbound.ts";
import { bool, int, streamParams } from "../lib/http/params.ts";
import { type Context, described } from "../lib/handler.ts";
import { sharedAnswers } from "../lib/http/answers.ts";
import { share, sharing } from "../lib/runs/share.ts";
import { streamResponse } from "../lib/stream/response.ts";
import type { Source, Wanted } from "../lib/stream/source.ts";

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
  /** The request of each step; null for none. */
  request: ((signal: AbortSignal) => Promise<Outcome>) | null;
}

/** The steps after the cursor; each id is the number of its step. */
async function* steps(options: StepsOptions, wanted: Wanted): AsyncGenerator<StreamEvent> {
  const { count, interval, request } = options;
  const { after = "0" } = wanted;
  let step = /^\d{1,9}$/.test(after) ? Number(after) : Infinity;
  if (step > count) {
    step = 0;
    yield gap(after, "1", null);
  }
  const ticks = interval > 0 ? every(interval, wanted.signal) : null;
  while (step++ < count) {
    if (ticks) await ticks.next();
    const data: Step = { step, result: step * 2 };
    if (request !== null) data.request = await request(wanted.signal);
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

function ask(
  { config: { upstream, limits }, limits: { outbound: limiter }, origin, guard }: Context["app"],
  signal: AbortSignal,
) {
  const { outboundMs: timeoutMs, outboundBytes: maxBytes } = limits;
  const headers = upstream === null && guard !== null ? { Authorization: `Bearer ${guard.own}` } : undefined;
  return outbound(upstream ?? `${origin}/async_route`, signal, { limiter, timeoutMs, maxBytes, headers });
}

const params = {
  count: int({ min: 1, max: 1_000_000, default: 5 }, "steps"),
  interval: int({ min: 0, max: 60_000, default: 1_000 }, "ms from the start of a step to that of the next"),
  request: bool({ default: true }, "whether each step requests `--upstream`"),
  ...sharing,
  ...streamParams,
};

const answers = sharedAnswers("text", 'steps, `{"step", "result", "request"}`');

/** GET /stream: steps that mix a calculation with an outbound request, each as soon as it is done; `?run=` shares them. */
export const stream = described({ params, answers }, (_request, context) => {
  const { app, params: { count, interval, request: asks, run } } = context;
  const request = asks ? (signal: AbortSignal) => ask(app, signal) : null;
  const source: Source = (wanted) => steps({ count, interval, request }, wanted);
  if (run === undefined) return streamResponse(context, source, { line });
  return share(context, run, source, { params: { count, interval, request: asks }, line });
});
