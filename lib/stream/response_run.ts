import type { Report } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import type { Ending, Format } from "./formats/format.ts";
import type { Permit } from "./limiter.ts";
import { LiveStream } from "./live_stream.ts";
import type { LiveStreamHooks } from "./live_stream_hooks.ts";
import { iterable, type Source } from "./source.ts";
import { SourceStart } from "./source_start.ts";

/** How long a response waits for its first event, in ms: until then a failure can still be a status. */
const firstEventMs = 100;

/** One run of a source for one response: what it is started with, and what it holds of the server until it has ended. */
export class ResponseRun extends SourceStart implements LiveStreamHooks {
  /** Resolves when there is something to send, the client has gone, or 100 ms have passed. */
  readonly ready: Promise<void>;
  #ready!: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stream: LiveStream | null = null;
  #controller: AbortController | null = null;
  #stopped = false;
  #open = false;

  constructor(
    exchange: Exchange,
    readonly permit: Permit,
    cursor: string | undefined,
    format: Format,
    readonly options: { known?: Promise<void>; resumes?: boolean },
  ) {
    super(cursor, format, exchange, options.resumes);
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
    this.exchange.bodies.add(this.#stream!, this.exchange.allowed);
    if (this.exchange.draining.aborted) this.#stream!.drain("shutdown");
  }

  started(): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.exchange.signal.removeEventListener("abort", this);
    }
    this.#ready();
  }

  quiet(): void {
    this.#timer = setTimeout(() => {
      const { known } = this.options;
      if (known === undefined) this.started();
      else void known.then(() => this.started());
    }, firstEventMs);
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

  ended(how: "complete" | "cut", reason: Ending): void {
    this.countEnded(reason);
    if (this.#open) this.exchange.bodies.delete(this.#stream!);
    this.exchange.ended(how);
  }

  released(): void {
    this.permit.release();
  }
}
