import {
  type Encoder,
  type Format,
  ndjsonEncoder,
  sseEncoder,
  type StreamEvent,
  textEncoder,
} from "./encoders.ts";
import { overloaded, shuttingDown } from "./errors.ts";
import type { Permit } from "./limiter.ts";
import { LiveStream, type LiveStreamEdge, type StreamItem } from "./live_stream.ts";
import { negotiate } from "./negotiate.ts";
import type { Context, Delivered } from "./router.ts";

/** What a generator may want to know of the stream that it feeds. */
export interface StreamStart {
  /** The cursor to go on after: `Last-Event-ID`, else `?after=`; undefined for a first visit. */
  after: string | undefined;
  /** The negotiated format, for a generator that yields blocks of bytes in it. */
  format: Format;
}

/** How {@linkcode streamResponse} answers. */
export interface StreamOptions<T> {
  /** The route's own format, when the client asks for none. Default: text. */
  format?: Format;
  /** The text wording of an event, without its line end. Default: a string as it is, anything else as JSON. */
  line?: (event: StreamEvent<T>) => string;
}

/** How long a response waits for its first event, in ms: until then a failure can still be a status. */
const firstEventMs = 100;

const ping = new TextEncoder().encode(": ping\n\n");

/**
 * Answers with a live stream of what the generator yields, in the format that the client asks for. `start` is called once
 * the request is known to be good; a HEAD or a browser that reconnects after a complete stream (204) starts nothing.
 *
 * @throws HttpError 400, 406 (see {@linkcode negotiate}), 503 when too many streams are open, and what the generator
 * throws before its first event
 */
export async function streamResponse<T>(
  request: Request,
  context: Context,
  start: (start: StreamStart) => AsyncIterable<StreamEvent<T> | Uint8Array>,
  { format: own = "text", line }: StreamOptions<T> = {},
): Promise<Response> {
  const { format, contentType } = negotiate(request, context.url, own);
  const headers = { "Content-Type": contentType, "Cache-Control": "no-store", "X-Accel-Buffering": "no" };
  const after = cursor(request, context.url);
  if (after === "end") return new Response(null, { status: 204, headers: { "Cache-Control": "no-store" } });
  // A null body would be announced as `Content-Length: 0`, which the GET is not.
  if (request.method === "HEAD") return new Response(new ReadableStream(), { headers });

  const { streams } = context.app.limits;
  // A handler that has waited for something may come here after everything else has been told to end.
  if (context.app.draining) throw shuttingDown();
  if (streams.used >= streams.max) throw overloaded("streams", streams.max);
  // From here on the body hears for itself that the client has gone.
  const delivered = context.track();
  // May throw, so nothing is held yet.
  const source = start({ after, format }) as AsyncIterable<StreamItem>;
  const edge = new Edge(context, delivered, streams.tryAcquire()!, format === "sse" ? ping : null);
  const stream = new LiveStream(source, encoderOf(format, line as Wording | undefined), edge);
  edge.open(stream);
  // Most small streams are complete within this turn, and then neither a timer nor a stream object is needed.
  await stream.firstTurn;
  if (!stream.started) await firstEvent(request, stream);
  const failure = stream.failure();
  if (failure !== null && (format === "text" || context.app.draining === false)) {
    stream.abandon();
    throw failure.error;
  }
  const whole = stream.whole();
  return whole === null ? new Response(stream.body(), { headers }) : withHeaders(whole, headers);
}

/** The cursor to go on after: `Last-Event-ID`, else `?after=`. An empty one is garbage like any other, and told of. */
export function cursor(request: Request, url: URL): string | undefined {
  const after = url.search === "" ? null : url.searchParams.get("after");
  return request.headers.get("last-event-id") ?? after ?? undefined;
}

/** Headers that are set one by one cost the runtime a sixth less than an init of several (100,000 small responses). */
function withHeaders(body: string, headers: Record<string, string>): Response {
  const response = new Response(body);
  for (const name in headers) response.headers.set(name, headers[name]);
  return response;
}

/** What a stream holds of the server while it lives. */
class Edge implements LiveStreamEdge {
  #stream: LiveStream | null = null;

  constructor(
    readonly context: Context,
    readonly delivered: Delivered,
    readonly permit: Permit,
    readonly ping: Uint8Array<ArrayBuffer> | null,
  ) {}

  open(stream: LiveStream): void {
    this.#stream = stream;
    this.context.app.live.add(stream);
  }

  stop(): void {
    this.context.abort();
  }

  ended(how: "complete" | "cut", bytes: number): void {
    this.context.app.live.delete(this.#stream!);
    this.delivered(how, bytes);
  }

  released(): void {
    this.permit.release();
  }
}

type Wording = (event: StreamEvent) => string;

function encoderOf(format: Format, line?: Wording): Encoder {
  if (format === "text") return line ? textEncoder(line) : plainText;
  return format === "sse" ? sseEncoder : ndjsonEncoder;
}

const plainText = textEncoder();

/** Until the headers go out, `request.signal` is what tells that the client has gone; after that it is `cancel()`. */
function firstEvent(request: Request, stream: LiveStream): Promise<void> {
  return new Promise<void>((resolve) => {
    const gone = () => {
      stream.abandon();
      done();
    };
    const done = () => {
      stream.onStart(null);
      clearTimeout(timer);
      request.signal.removeEventListener("abort", gone);
      resolve();
    };
    const timer = setTimeout(done, firstEventMs);
    request.signal.addEventListener("abort", gone, { once: true });
    stream.onStart(done);
  });
}
