import { errorResponse, type Report, shuttingDown } from "./errors.ts";
import type { StreamEvent } from "./event.ts";
import type { Exchange } from "./exchange.ts";
import type { Format } from "./formats/format.ts";
import type { FormatName } from "./formats/table.ts";
import { textFormat, type Wording } from "./formats/text.ts";
import { wholeResponse } from "./json.ts";
import type { Permit } from "./limiter.ts";
import { LiveStream } from "./live_stream.ts";
import type { LiveStreamHooks } from "./live_stream_hooks.ts";
import { negotiate } from "./negotiate.ts";
import type { Source, Wanted } from "./source.ts";

/** How {@linkcode streamResponse} answers. */
export interface StreamOptions<T = unknown> {
  /** The route's own format, when the client asks for none. Default: text. */
  format?: FormatName;
  /** The text of an event, without its line end. Default: a string as it is, anything else as JSON. */
  line?: (event: StreamEvent<T>) => string;
}

/** How long a response waits for its first event, in ms: until then a failure can still be a status. */
const firstEventMs = 100;

/**
 * Answers with a live stream of what the source yields, in the format that the client asks for. A HEAD, or a browser that
 * reconnects after a complete stream (204), starts nothing.
 *
 * It never throws: a wrong request (400, 406), too many streams (503), and what the source throws before its first event
 * become the response of that error.
 *
 * @example
 * ```ts
 * import { exchange, sleep, streamResponse } from "@weir/weir";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = (request: Request) =>
 *   streamResponse(exchange(request), async function* ({ after = "0", signal }) {
 *     for (let n = Number(after) + 1; n <= 3; n++) {
 *       await sleep(10, signal);
 *       yield { id: String(n), data: `step ${n}` };
 *     }
 *   });
 *
 * const response = await handler(new Request("http://localhost/?after=1"));
 * assertEquals(await response.text(), "step 2\nstep 3\n");
 * ```
 */
export async function streamResponse<T = unknown>(
  exchange: Exchange,
  source: Source,
  options: StreamOptions<T> = {},
): Promise<Response> {
  const { format: own = "text", line } = options;
  try {
    const chosen = negotiate(exchange, own);
    const format = line !== undefined && chosen.format.plain ? textFormat(line as Wording) : chosen.format;
    const headers = {
      "Content-Type": chosen.contentType,
      // A compressing proxy would hold events back (RFC 9111, 5.2.2.6).
      "Cache-Control": "no-store, no-transform",
      "X-Accel-Buffering": "no",
      // RFC 10036: what is between passes each part on as it comes.
      "Incremental": "?1",
      // Without it Chromium shows a text stream only after 1,024 bytes.
      "X-Content-Type-Options": "nosniff",
    };
    const after = cursor(exchange);
    if (after === "end") return new Response(null, { status: 204, headers: { "Cache-Control": "no-store" } });
    // A null body would be announced as `Content-Length: 0`, which the GET is not.
    if (exchange.method === "HEAD") return new Response(new ReadableStream(), { headers });

    const { bodies, draining } = exchange;
    // A handler that has waited for something may come here after everything else has been told to end.
    if (draining.aborted) throw shuttingDown();
    const permit = bodies.streams.admit("streams", exchange);
    const run = new Run(exchange, permit, after, format);
    const stream = run.start(source);
    await run.ready;
    const failure = stream.failure();
    if (failure !== null && (format.end("error") === null || !draining.aborted)) {
      stream.cancel();
      throw failure.error;
    }
    // Most small streams are complete within their first turn, and then neither a timer nor a stream object is needed.
    const whole = stream.whole();
    if (whole !== null) return wholeResponse(whole, 200, headers, 0); // It has reported its own bytes.
    run.open();
    return new Response(stream.body(), { headers });
  } catch (error) {
    return errorResponse(error, exchange.report);
  }
}

/**
 * The cursor that a request comes back with: `Last-Event-ID`, else `?lastEventId=`, which polyfills of EventSource send, else
 * `?after=`. The first two are none when they are empty.
 */
export function cursor({ headers, query }: Pick<Exchange, "headers" | "query">): string | undefined {
  return headers.get("last-event-id") || query.get("lastEventId") || (query.get("after") ?? undefined);
}

/** What the source makes, or else something that fails as it did. */
function iterable(source: Source, wanted: Wanted): AsyncIterable<unknown> {
  try {
    const made = source(wanted);
    if (typeof made?.[Symbol.asyncIterator] === "function") return made;
    const rule = "Cannot stream as the source must return an async iterable";
    throw new TypeError(`${rule}: current value is ${Deno.inspect(made)}`);
  } catch (error) {
    return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
  }
}

/** One run of a source for one response: what it is started with, and what it holds of the server until it has ended. */
class Run implements Wanted, LiveStreamHooks {
  /** Resolves when there is something to send, the client has gone, or 100 ms have passed. */
  readonly ready: Promise<void>;
  #ready!: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stream: LiveStream | null = null;
  #controller: AbortController | null = null;
  #stopped = false;
  #open = false;

  constructor(
    readonly exchange: Exchange,
    readonly permit: Permit,
    readonly after: string | undefined,
    readonly format: Format,
  ) {
    this.ready = new Promise((resolve) => this.#ready = resolve);
  }

  get report(): Report {
    return this.exchange.report;
  }

  /** Made on first use: many sources never look at it. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#stopped) this.stop();
    }
    return this.#controller.signal;
  }

  start(source: Source): LiveStream {
    this.#stream = new LiveStream(iterable(source, this), this.format, this);
    // From here on the body hears for itself that the client has gone.
    this.exchange.opened();
    return this.#stream;
  }

  /** Takes part in the heartbeat and the drain. */
  open(): void {
    if (this.#open || this.#stopped) return;
    this.#open = true;
    this.exchange.bodies.add(this.#stream!);
    if (this.exchange.draining.aborted) this.#stream!.drain();
  }

  started(): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.exchange.signal.removeEventListener("abort", this);
    }
    this.#ready();
  }

  quiet(): void {
    this.#timer = setTimeout(() => this.started(), firstEventMs);
    this.exchange.signal.addEventListener("abort", this, { once: true });
    this.open();
  }

  /** The client has gone before the headers, which the exchange's signal reports; after them the body is cancelled. */
  handleEvent(): void {
    this.#stream!.cancel();
    this.started();
  }

  stop(): void {
    this.#stopped = true;
    this.#controller?.abort();
  }

  sent(bytes: number): void {
    this.exchange.sent(bytes);
  }

  ended(how: "complete" | "cut"): void {
    if (this.#open) this.exchange.bodies.delete(this.#stream!);
    this.exchange.ended(how);
  }

  released(): void {
    this.permit.release();
  }
}
