import type { Handler } from "../lib/handler.ts";
import { json } from "../lib/stream/json.ts";

const headers = { "Cache-Control": "no-store" };

/** GET /runs: the runs that go on, and those that are retained after their end. */
export const runs: Handler = (_request, context) => json(context.runs.list(), { headers });

/** GET /runs/NAME: one of them. */
export const run: Handler = (_request, context) => json(context.runs.find(context.params.name), { headers });

/** DELETE /runs/NAME: stops a run that goes on, and forgets one that has ended. */
export const deleteRun: Handler = (_request, context) =>
  json(context.runs.delete(context.params.name), { headers });
