import { forbidden } from "../http/auth/guard.ts";
import { HttpError } from "../stream/errors.ts";
import { type Param, text } from "../http/params.ts";
import type { Exchange } from "../stream/exchange.ts";
import { type StreamOptions, streamResponse } from "../stream/response.ts";
import type { Source, StreamItem, Wanted } from "../stream/source.ts";
import type { RunOf } from "./run_channel.ts";
import type { Runs } from "./runs.ts";

/** The parameter of a route that shares what it streams. */
export const sharing: { run: Param<string | undefined> } = {
  run: text("a run's name: the stream is started once, and shared by all who ask for it"),
};

/** How {@linkcode share} answers. */
export interface ShareOptions<T = unknown> extends StreamOptions<T> {
  /** What the source is made with, by the names of the query's parameters: a request that gives another value is 409. */
  params?: RunOf["params"];
}

/**
 * Answers as `streamResponse` does, with a run: a source that is run once under a name, for all who ask for it. The first
 * request starts it, with a signal of its own; each gets everything from its start, or after its cursor, in its own format,
 * also for a while after its end. Who leaves stops nothing; `runs.delete(name)` does.
 *
 * What the source yields has to be what JSON can hold, as it is retained; the run's ids replace those of the source. A
 * request with a cursor, a HEAD, and a link on a page of another origin start no run: a browser that comes back after a
 * restart gets `end` with the reason `lost`. Where there are tokens, whoever starts one needs the right to publish.
 */
export function share<T = unknown>(
  context: Exchange & { readonly runs: Runs; may?(right: "publish"): boolean },
  name: string,
  source: Source,
  { params = {}, ...options }: ShareOptions<T> = {},
): Promise<Response> {
  const { runs, headers, url } = context;
  const of = { route: url.pathname, params };
  const mayStart = ({ after }: Wanted) => {
    if (after !== undefined) return false;
    if (isLed(headers)) throw new HttpError(403, "a page of another origin must not start a run");
    if (context.may?.("publish") === false) throw forbidden("publish");
    return true;
  };
  const known = Promise.withResolvers<void>();
  async function* anywhere(wanted: Wanted): AsyncGenerator<StreamItem> {
    const { after, signal } = wanted;
    if (after !== undefined) known.resolve();
    // A browser does not come back after a 503.
    const isThere = await runs.bring(name, after === undefined ? undefined : signal);
    if (isThere || mayStart(wanted)) await runs.startOnce(name, of, source, context);
    known.resolve();
    await runs.reach(name, after, signal);
    yield* runs.follow(name)(wanted) as AsyncIterable<StreamItem>;
  }
  const shared: Source = (wanted) => {
    if (!runs.isHere(name)) return anywhere(wanted);
    known.resolve();
    if (runs.has(name) || mayStart(wanted)) runs.start(name, of, source, context);
    return runs.follow(name)(wanted);
  };
  return streamResponse(context, shared, { ...options, known: known.promise });
}

/**
 * Whether a page of another origin may have led here: the page to sign in asks again for what a link asked for, as from here,
 * but without a user. What scripts get has an Origin, which the server's own guard has let through.
 */
function isLed(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  const isUnasked = headers.get("sec-fetch-mode") === "navigate" && !headers.has("sec-fetch-user");
  return !headers.has("origin") &&
    (site === "cross-site" || site === "same-site" || site === "same-origin" && isUnasked);
}
