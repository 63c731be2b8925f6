import { HttpError } from "../lib/errors.ts";
import { json } from "../lib/json.ts";
import { logRecords, mergedLogs, type NamedLine } from "../lib/logs/log_events.ts";
import { flag, quote, wholeNumber } from "../lib/params.ts";
import type { Context, Handler } from "../lib/router.ts";
import { cursor, streamResponse } from "../lib/stream_response.ts";

/** Logs in one merged stream. */
const maxMerged = 16;

/** GET /logs: the list of logs, as JSON. GET /logs?name=a&name=b: these logs, merged into one stream. */
export const logs: Handler = async (request, context) => {
  const names = [...new Set(context.url.searchParams.getAll("name"))];
  if (names.length === 0) {
    return json(await context.app.logFiles.list(), { headers: { "Cache-Control": "no-store" } });
  }
  if (names.length > maxMerged) {
    throw new HttpError(
      400,
      `name must be given at most ${maxMerged} times: current value is ${names.length}`,
    );
  }
  const options = parameters(context);
  const { logFiles, logFollower } = context.app;
  const after = cursors(request, context);
  const places = await Promise.all(names.map((name) => logFiles.find(name, after?.get(name) ?? undefined)));
  return await streamResponse<NamedLine>(
    request,
    context,
    // deno-lint-ignore no-explicit-any -- a gap is not a line, and the text encoder has its own wording for it
    ({ after }) => mergedLogs(logFollower, places, { ...options, after, signal: context.signal }) as any,
    { line: ({ data: { name, line } }) => `${name}: ${line}` },
  );
};

/** GET /logs/NAME: the last lines of a log, then each new one as it is written. */
export const log: Handler = async (request, context) => {
  const { grep, ...options } = parameters(context);
  const { logFiles, logFollower } = context.app;
  const place = await logFiles.find(context.params.name, cursor(request, context.url));
  return await streamResponse(
    request,
    context,
    ({ after, format }) =>
      logRecords(logFollower.follow(place, { ...options, after, signal: context.signal }), format, grep),
  );
};

function parameters(
  { url }: Context,
): { from: number | "start"; follow: boolean; grep: string | undefined } {
  const query = url.searchParams;
  const lines = wholeNumber(query, "lines", { min: 0, max: 10_000, fallback: 100 });
  const from = query.get("from");
  if (from !== null && from !== "start") {
    throw new HttpError(400, `from must be start: current value is ${quote(from)}`);
  }
  const grep = query.get("grep") ?? undefined;
  if (grep !== undefined && (grep.length > 1_000 || /[\r\n]/.test(grep))) {
    throw new HttpError(
      400,
      `grep must be at most 1000 characters in one line: current value is ${quote(grep)}`,
    );
  }
  return { from: from ?? lines, follow: flag(query, "follow", true), grep: grep || undefined };
}

function cursors(request: Request, { url }: Context): URLSearchParams | null {
  const after = cursor(request, url);
  return after === undefined ? null : new URLSearchParams(after);
}
