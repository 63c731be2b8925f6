import { described } from "../lib/handler.ts";
import { jsonAnswer, list, object } from "../lib/http/answers.ts";
import { segment } from "../lib/http/params.ts";
import { json } from "../lib/stream/json.ts";

const headers = { "Cache-Control": "no-store" };

const fields: Parameters<typeof object>[0] = {
  name: "string",
  route: "string",
  state: { enum: ["running", "complete", "failed", "cancelled", "lost"] },
  started: { type: "string", format: "date-time" },
  events: "integer",
  readers: "integer",
};

/** GET /runs: the runs that go on, and those that are retained after their end. */
export const runs = described(
  { answers: { 200: jsonAnswer("the runs", list(object(fields))) } },
  async (_request, context) => json(await context.runs.list(), { headers }),
);

const one = {
  params: { name: segment("a run's name") },
  answers: {
    200: jsonAnswer("the run", object({ ...fields, params: { type: "object" } })),
    404: "there is no run of this name",
  },
};

/** GET /runs/NAME: one of them, with what it was started with. */
export const run = described(
  one,
  async (_request, context) => json(await context.runs.find(context.params.name), { headers }),
);

/** DELETE /runs/NAME: stops a run that goes on, and forgets one that has ended. */
export const deleteRun = described(
  one,
  async (_request, context) => json(await context.runs.delete(context.params.name), { headers }),
);
