import { HttpError, quote } from "../lib/stream/errors.ts";
import { json } from "../lib/stream/json.ts";
import { boolParam, checkParams, intParam, streamParams } from "../lib/http/params.ts";
import {
  lineFilter,
  type LogOptions,
  logRecords,
  mergedLogs,
  type NamedLine,
} from "../lib/logs/log_events.ts";
import type { Context, Handler } from "../lib/handler.ts";
import type { StreamEvent } from "../lib/stream/event.ts";
import { cursor, streamResponse } from "../lib/stream/response.ts";

/** Logs in one merged stream. */
const maxMerged = 16;

const namedLine = ({ data: { name, line } }: StreamEvent<NamedLine>) => `${name}: ${line}`;

/** GET /logs: the list of logs, as JSON. GET /logs?name=a&name=b: these logs, merged into one stream. */
export const logs: Handler = async (_request, context) => {
  const names = [...new Set(context.query.getAll("name"))];
  if (names.length === 0) {
    return json(await context.app.logFiles.list(), { headers: { "Cache-Control": "no-store" } });
  }
  if (names.length > maxMerged) {
    throw new HttpError(
      400,
      `name must be given at most ${maxMerged} times: current value is ${names.length}`,
    );
  }
  const options = parameters(context, ["name"]);
  const { logFiles, logFollower } = context.app;
  const after = new URLSearchParams(cursor(context));
  const places = await Promise.all(
    names.map((name) => logFiles.find(name, after.get(name) ?? "", options.follow)),
  );
  using _turn = options.follow ? null : await logFiles.turn();
  return await streamResponse(context, mergedLogs(logFollower, places, options), { line: namedLine });
};

/** GET /logs/NAME: the last lines of a log, then each new one as it is written. */
export const log: Handler = async (_request, context) => {
  const options = parameters(context);
  const { logFiles, logFollower } = context.app;
  const place = await logFiles.find(context.params.name, cursor(context), options.follow);
  using _turn = options.follow ? null : await logFiles.turn();
  return await streamResponse(context, logRecords(logFollower, place, options));
};

const known = ["lines", "from", "grep", "icase", "not", "follow", ...streamParams];

function parameters({ query }: Context, many: string[] = []): LogOptions {
  checkParams(query, known, many);
  const lines = intParam(query, "lines", { min: 0, max: 10_000, fallback: 100 });
  const from = query.get("from");
  if (from !== null && from !== "start") {
    throw new HttpError(400, `from must be start: current value is ${quote(from)}`);
  }
  const [grep, not] = [textParam(query, "grep"), textParam(query, "not")];
  const wanted = lineFilter(grep, not, boolParam(query, "icase", false));
  return { from: from ?? lines, follow: boolParam(query, "follow", true), wanted };
}

/** What is looked for in a line; "" for nothing. */
function textParam(query: URLSearchParams, name: string): string {
  const text = query.get(name) ?? "";
  if (text.length <= 1_000 && !/[\r\n]/.test(text)) return text;
  throw new HttpError(
    400,
    `${name} must be at most 1000 characters in one line: current value is ${quote(text)}`,
  );
}
