import { json } from "../lib/stream/json.ts";
import { either, jsonAnswer, list, object, streamAnswers } from "../lib/http/answers.ts";
import type { Values } from "../lib/http/param_reader.ts";
import { bool, int, line, many, oneOf, segment, streamParams, text } from "../lib/http/params.ts";
import {
  lineFilter,
  type LogOptions,
  logRecords,
  mergedLogs,
  type NamedLine,
} from "../lib/logs/log_events.ts";
import { described } from "../lib/handler.ts";
import type { StreamEvent } from "../lib/stream/event.ts";
import { cursor, streamResponse } from "../lib/stream/response.ts";

const found = {
  lines: int({ min: 0, max: 10_000, default: 100 }, "last lines, before the new ones"),
  from: oneOf(["start"], "all lines, not the last ones alone"),
  grep: line({ max: 1_000 }, "text that a line has to contain"),
  icase: bool({ default: false }, "whether case counts for neither `grep` nor `not`"),
  not: line({ max: 1_000 }, "text that a line must not contain"),
  follow: bool({ default: true }, "whether the stream goes on with new lines"),
  ...streamParams,
};

/** What the parameters ask for. */
function wantedBy({ lines, from, grep, not, icase, follow }: Values<typeof found>): LogOptions {
  return { from: from ?? lines, follow, wanted: lineFilter(grep, not, icase) };
}

const missing = "there is no log of this name";

const namedLine = ({ data: { name, line } }: StreamEvent<NamedLine>) => `${name}: ${line}`;

const info = object({ name: "string", size: "integer", time: "string|null", rotated: "boolean" });
const merged = streamAnswers("text", 'with `name`: lines, `{"name", "line", "cursor"}`');
const listed = jsonAnswer("without `name`: the logs", list(info));

/** GET /logs: the list of logs, as JSON. GET /logs?name=a&name=b: these logs, merged into one stream. */
export const logs = described({
  params: { name: many(text("a log's name; without any, the answer is the list"), { max: 16 }), ...found },
  answers: { ...merged, 200: either(listed, merged[200]), 404: missing },
}, async (_request, context) => {
  const names = [...new Set(context.params.name)];
  if (names.length === 0) {
    return json(await context.app.logFiles.list(), { headers: { "Cache-Control": "no-store" } });
  }
  const options = wantedBy(context.params);
  const { logFiles, logFollower } = context.app;
  const after = new URLSearchParams(cursor(context));
  const places = await Promise.all(
    names.map((name) => logFiles.find(name, after.get(name) ?? "", options.follow)),
  );
  using _turn = options.follow ? null : await logFiles.turn();
  return await streamResponse(context, mergedLogs(logFollower, places, options), { line: namedLine });
});

/** GET /logs/NAME: the last lines of a log, then each new one as it is written. */
export const log = described({
  params: {
    name: segment("a log's name, as `/logs` lists it"),
    ...found,
    before: text("a cursor: the lines up to it, in place of those up to the end; nothing is followed"),
  },
  answers: { ...streamAnswers("text", "lines"), 404: missing },
}, async (_request, context) => {
  const { name, before, follow } = context.params;
  const options = { ...wantedBy(context.params), before, follow: follow && before === undefined };
  const { logFiles, logFollower } = context.app;
  const place = await logFiles.find(name, cursor(context), options.follow);
  using _turn = options.follow ? null : await logFiles.turn();
  return await streamResponse(context, logRecords(logFollower, place, options));
});
