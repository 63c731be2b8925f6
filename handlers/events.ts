import { type Context, described } from "../lib/handler.ts";
import { streamAnswers } from "../lib/http/answers.ts";
import { checkName, flag, formatParam, many, streamParams, text } from "../lib/http/params.ts";
import { isLogName } from "../lib/logs/log_files.ts";
import { logSource } from "../lib/logs/log_source.ts";
import { runSource } from "../lib/runs/run_source.ts";
import { HttpError, quote } from "../lib/stream/errors.ts";
import { events as merged } from "../lib/stream/events.ts";
import type { FormatName } from "../lib/stream/formats/table.ts";
import type { PartSource } from "../lib/stream/part.ts";
import { streamResponse } from "../lib/stream/response.ts";

/** Each kind of source, by its parameter: what makes a source of its name, or throws HttpError 400. */
const kinds: Record<string, (app: Context["app"], name: string) => PartSource> = {
  channel(app, name) {
    checkName("a channel's", name);
    if (name === "sensors") {
      throw new HttpError(400, "the channel sensors is reserved: readings are sensor=ID");
    }
    return (wanted) => app.channels.subscribe(name, wanted);
  },
  log({ logFiles, logFollower }, name) {
    if (!isLogName(name)) refuse("log must be a log's name", name);
    return logSource(logFiles, logFollower, name);
  },
  sensor: ({ sensors }, id) => sensors.stream([id], "sensor"),
  run(app, name) {
    checkName("a run's", name);
    return runSource(app.runs, name);
  },
};

const formats: FormatName[] = ["sse", "ndjson"];

const params = {
  channel: many(text("a channel's name")),
  log: many(text("a log's name")),
  sensor: many(text("a sensor's id")),
  run: many(text("a run's name")),
  server: flag(
    "the server itself: what is open, and the lists of channels, runs and logs, when they change",
  ),
  since: many(
    text(
      "`SOURCE=CURSOR`, as in log:app.log=…: the source begins there, or live without a CURSOR, whatever `after` says; Last-Event-ID wins",
    ),
  ),
  ...streamParams,
  format: formatParam(formats),
};

const answers = streamAnswers("sse", 'events of all sources, `{"source", "data"}`', formats);

/** GET /events: channels, logs, sensors, runs and the server itself in one stream, with one cursor for all of them. */
export const events = described(
  { params, answers },
  (_request, context) => {
    const sources = sourcesOf(context);
    const since = sinceOf(context, sources);
    return streamResponse(context, merged(sources, { report: context.report, since }), {
      format: "sse",
      formats,
      resumes: [...since.values()].some((cursor) => cursor !== ""),
    });
  },
);

/** The sources in the order of the query. */
function sourcesOf(
  { app, query, params: { server } }: Context<{ server: boolean }>,
): Map<string, PartSource> {
  const sources = new Map<string, PartSource>();
  for (const [kind, name] of query) {
    if (kind === "server") { if (server) sources.set("server", app.overview.source); }
    else if (Object.hasOwn(kinds, kind)) sources.set(`${kind}:${name}`, kinds[kind](app, name));
    else if (kind !== "since" && !Object.hasOwn(streamParams, kind)) {
      refuse("a source must be channel, log, sensor, run or server", kind);
    }
  }
  const { sources: max } = app.config.limits;
  if (sources.size === 0 || sources.size > max) {
    const rule = `channel, log, sensor, run and server must be 1 to ${max} in all`;
    refuse(`${rule}, as in ?channel=a&log=app.log`, String(sources.size));
  }
  return sources;
}

/** Where single sources begin. A browser that comes back has the URL of before, and a newer id. */
function sinceOf(
  { headers, params: { since, lastEventId } }: Context<{ since: readonly string[]; lastEventId?: string }>,
  sources: ReadonlyMap<string, unknown>,
): Map<string, string> {
  const starts = new Map<string, string>();
  for (const value of since) {
    const at = value.lastIndexOf("=");
    const source = value.slice(0, at);
    if (!sources.has(source)) refuse("since must be SOURCE=CURSOR of a source that is asked for", value);
    if (starts.has(source)) refuse("since must be given once for a source", value);
    starts.set(source, value.slice(at + 1));
  }
  return headers.get("last-event-id") || lastEventId ? new Map() : starts;
}

function refuse(rule: string, value: string): never {
  throw new HttpError(400, `${rule}: current value is ${quote(value)}`);
}
