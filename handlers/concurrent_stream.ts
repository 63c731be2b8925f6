import { every } from "../lib/stream/clock.ts";
import type { StreamEvent } from "../lib/stream/event.ts";
import { HttpError, quote } from "../lib/stream/errors.ts";
import { merge } from "../lib/stream/merge.ts";
import { sharedAnswers } from "../lib/http/answers.ts";
import { many, parsed, parseWhole, streamParams } from "../lib/http/params.ts";
import { described, type Handler } from "../lib/handler.ts";
import { share, sharing } from "../lib/runs/share.ts";
import { streamResponse } from "../lib/stream/response.ts";
import type { Source } from "../lib/stream/source.ts";

interface Task {
  name: string;
  steps: number;
  /** From the start of a step to the start of the next, in ms. */
  interval: number;
}

/** Runs tasks one after the other. Several share the list: as many run at once, and what waits is a task, not a generator. */
async function* run(tasks: Iterable<Task>, signal: AbortSignal): AsyncGenerator<StreamEvent> {
  for (const { name: task, steps, interval } of tasks) {
    const ticks = every(interval, signal);
    for (let step = 1; step <= steps; step++) {
      if (interval > 0) await ticks.next();
      yield { data: { task, step, steps } };
    }
  }
}

function parseTask(value: string): Task {
  const [interval, steps, ...name] = value.split(":").reverse();
  const refuse = (rule: string) => {
    throw new HttpError(400, `task must be NAME:STEPS:INTERVAL_MS${rule}: current value is ${quote(value)}`);
  };
  // A line break in a name would make two lines, the second of them forged, of one event of text.
  if (name.join("") === "" || /\p{Cc}/u.test(value)) refuse(", with a name of no control characters");
  const whole = (text: string, part: string, min: number, max: number) =>
    parseWhole(text, min, max) ?? refuse(`, ${part} a whole number from ${min} to ${max}`);
  return {
    name: name.reverse().join(":"),
    steps: whole(steps, "STEPS", 1, 1_000_000),
    interval: whole(interval, "INTERVAL_MS", 0, 60_000),
  };
}

const task = parsed(
  parseTask,
  { pattern: "^.+:[0-9]+:[0-9]+$" },
  "a task `NAME:STEPS:INTERVAL_MS`, with up to 1,000,000 steps, up to 60,000 ms from one to the next",
);

const params = { task: many(task, { max: 1_000 }), ...sharing, ...streamParams };

const answers = sharedAnswers("text", 'the progress, `{"task", "step", "steps"}`');

/** The text of an event: `task` has done `step` of its `steps`. */
const line = ({ data }: StreamEvent<{ task: string; step: number; steps: number }>) =>
  `task ${data.task}: step ${data.step} of ${data.steps}`;

/**
 * GET /concurrent_stream: tasks that run side by side, their progress merged as it happens; without any, the defaults.
 * `?run=` shares them.
 */
export function concurrentStreamOf(defaults: Task[]): Handler {
  return described({ params, answers }, (_request, context) => {
    const { task: named, run: name } = context.params;
    const tasks = named.length === 0 ? defaults : named;
    const atOnce = Math.min(context.app.config.limits.tasks, tasks.length);
    const source: Source = ({ signal }) => {
      const waiting = tasks.values();
      return merge((signal) => Array.from({ length: atOnce }, () => run(waiting, signal)), { signal });
    };
    if (name === undefined) return streamResponse(context, source, { line });
    const task = tasks.map(({ name, steps, interval }) => `${name}:${steps}:${interval}`);
    return share(context, name, source, { params: { task }, line });
  });
}

/** {@linkcode concurrentStreamOf} two tasks of three steps, 2 s and 3 s apart. */
export const concurrentStream: Handler = concurrentStreamOf([
  { name: "1", steps: 3, interval: 2_000 },
  { name: "2", steps: 3, interval: 3_000 },
]);
