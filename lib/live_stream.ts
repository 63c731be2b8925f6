import { endOfTurn } from "./clock.ts";
import type { Encoder, EndReason, StreamEvent } from "./encoders.ts";
import { shuttingDown } from "./errors.ts";

/**
 * What a generator yields: an event, or a block of whole records that is already in the stream's format. An empty block says
 * that the stream has begun though nothing is there yet: the headers need not wait for a first event.
 */
export type StreamItem = StreamEvent | Uint8Array;

/**
 * A source that can be asked without a promise, for what many streams read at once. It has no end of its own, and what
 * `poll` throws is a failure.
 */
export interface Feed {
  /** What is there now; null when nothing is: then `ready` is called when there may be more. */
  poll(ready: () => void): StreamItem | null;
}

/** What the response around a {@linkcode LiveStream} is told. */
export interface LiveStreamEdge {
  /** Bytes that keep an idle connection alive, or null where the format has none. */
  ping: Uint8Array<ArrayBuffer> | null;
  /** Aborts `context.signal`: no more values are wanted. May be called twice. */
  stop(): void;
  /** Called once, when the reader has everything or will get no more; the generator may still be cleaning up. */
  ended(how: "complete" | "cut", bytes: number): void;
  /** Called once, after `ended`, when the generator has finished its cleanup. */
  released(): void;
}

/** A batch goes out at this many characters. */
const batchChars = 64 * 1024;

/**
 * A generator that never waits gives the turn back after so many ms: 1 in place of 2 halves what `/healthz` waits for beside
 * six readers at full speed (16 in place of 37 ms) and costs 100,000 lines 3%. A few values are not worth a chunk each until
 * they take so long as `slowMs`.
 */
const sliceMs = 1;
const slowMs = 5;

const encoder = new TextEncoder();

/**
 * Pumps a generator into a response body.
 *
 * Batching: values that are ready in the same turn of the event loop leave as one chunk; a write to a socket costs far
 * more than a value. When the generator has to wait, what there is leaves at the end of that turn, so that nothing ever
 * waits for a later value. Back-pressure: the generator is asked for a value only while the reader wants bytes, so it is
 * never more than one value ahead. Endings: a body ends cleanly only when its format has said how, or is complete.
 *
 * Cancellation, the whole story: a generator acquires inside itself, passes `context.signal` to every await and cleans up
 * in `finally`. When the client goes, the body's `cancel()` runs: the signal aborts, which ends whatever the generator
 * awaits, and `return()` runs its `finally`. Nobody else has to know.
 */
export class LiveStream implements UnderlyingDefaultSource<Uint8Array> {
  /** Resolves when there is something to send, an event, the end or a failure; at the latest when this turn ends. */
  readonly firstTurn: Promise<void>;
  #endFirstTurn!: () => void;
  #onStart: (() => void) | null = null;
  #started = false;
  readonly #source: AsyncIterator<StreamItem>;
  readonly #feed: Feed | null;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #batch = "";
  #block: Uint8Array | null = null;
  #sliceStart = 0;
  #values = 0;
  #turnAsked = true;
  #wanted = true;
  /** A value has been asked for and is not there yet. */
  #asked = false;
  /** The generator has had its share of this turn. */
  #resting = false;
  /** How the body ends once the batch is out: null while it lives. */
  #last: { reason: EndReason; error?: unknown } | null = null;
  #ended = false;
  #bytes = 0;
  #sentEvents = false;
  #idleSeconds = 0;

  /** Starts the generator in this very turn. */
  constructor(
    source: AsyncIterable<StreamItem>,
    readonly encoder: Encoder,
    readonly edge: LiveStreamEdge,
  ) {
    this.firstTurn = new Promise((resolve) => this.#endFirstTurn = resolve);
    endOfTurn(this.#turnEnded);
    this.#source = source[Symbol.asyncIterator]();
    this.#feed = "poll" in source ? source as unknown as Feed : null;
    this.#ask();
  }

  /** Bytes sent so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there is something to send. */
  get started(): boolean {
    return this.#started;
  }

  /** Calls back when there is something to send, in place of an earlier callback. */
  onStart(callback: (() => void) | null): void {
    this.#onStart = callback;
  }

  /** The whole body, if the stream is complete already: then it needs no stream at all, which saves half the work. */
  whole(): string | null {
    if (this.#last === null || this.#block !== null) return null;
    if (this.#last.reason !== "complete" && this.encoder.end("error") === null) return null;
    const body = this.#batch;
    this.#bytes = isAscii(body) ? body.length : encoder.encode(body).length;
    this.#settle(this.#last.reason === "complete" ? "complete" : "cut");
    return body;
  }

  /** What went wrong before the first event, if anything did: it can still become a status. */
  failure(): { error: unknown } | null {
    if (this.#sentEvents || this.#last === null || this.#last.reason === "complete") return null;
    return { error: this.#last.error };
  }

  /** Drops a stream that never got a response. */
  abandon(): void {
    this.#settle("cut");
  }

  /** The body. Its first chunk is what the generator had ready. */
  body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#wanted = false;
    return new ReadableStream<Uint8Array>(this, { highWaterMark: 0 }) as ReadableStream<
      Uint8Array<ArrayBuffer>
    >;
  }

  /** The reader wants bytes. This and `cancel` make the stream its body's underlying source. */
  pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.#wanted = true;
    if (this.#last !== null || this.#batch !== "" || this.#block !== null) this.#flush();
    else if (!this.#resting) this.#ask();
  }

  /** The reader has gone. */
  cancel(): void {
    this.#settle("cut");
  }

  /** The server is draining: say so where the format can, and end. */
  drain(): void {
    if (this.#ended || this.#last !== null) return;
    this.#close("shutdown", shuttingDown());
    this.edge.stop();
  }

  /**
   * Called once a second for every stream. An idle one gets its ping after 15 s; a reader that has taken nothing for five
   * minutes, while what it was sent last still waits for it, is cut. True when it has written a ping.
   */
  second(): boolean {
    this.#idleSeconds++;
    if (this.#controller === null) return false;
    if (this.#wanted && this.#idleSeconds >= 15 && this.edge.ping !== null) {
      this.#enqueue(this.edge.ping);
      return true;
    }
    if (!this.#wanted && this.#idleSeconds >= 300) {
      this.#controller.error(cut("the reader has taken nothing for five minutes"));
      this.#settle("cut");
    }
    return false;
  }

  // Callbacks in place of an async function that loops: an idle stream keeps nothing but itself, and a value takes one
  // promise less to get through.
  readonly #ask = (): void => {
    this.#resting = false;
    if (this.#asked || !this.#wanted || this.#ended || this.#last !== null) return;
    if (this.#feed !== null) return this.#poll(this.#feed);
    this.#asked = true;
    this.#source.next().then(this.#take, this.#failed);
  };

  #poll(feed: Feed): void {
    try {
      const value = feed.poll(this.#ask);
      if (value !== null) this.#take({ value, done: false });
    } catch (error) {
      this.#failed(error);
    }
  }

  readonly #take = (result: IteratorResult<StreamItem>): void => {
    this.#asked = false;
    if (this.#ended || this.#last !== null) return;
    if (result.done) return this.#close("complete");
    let share;
    try {
      share = this.#append(result.value);
    } catch (error) {
      return this.#close("error", error);
    }
    if (!share) return this.#ask();
    this.#resting = true;
    endOfTurn(this.#ask);
  };

  readonly #failed = (error: unknown): void => {
    if (!this.#ended && this.#last === null) this.#close("error", error);
    // That it ended by its abort is no failure; anything else went wrong on its way out.
    else if (!(error instanceof DOMException && error.name === "AbortError")) cleanupFailed(error);
  };

  /** True when a generator that never waits has had its share of this turn. */
  #append(item: StreamItem): boolean {
    if (item instanceof Uint8Array) {
      if (item.length > 0) {
        this.#sentEvents = true;
        this.#block = item;
      }
      this.#flush();
      return false;
    }
    if (this.#batch === "") {
      this.#sliceStart = Date.now();
      this.#values = 0;
    }
    // What cannot be encoded throws, and has not been sent.
    this.#batch += this.encoder.event(item);
    this.#sentEvents = true;
    // A look at the clock for every value would be a tenth of the cost of a small one. A generator that has yielded many
    // has its share after a short time; a few values are split only when they are slow to compute.
    const n = ++this.#values;
    const many = (n & 63) === 0;
    const look = many || (n & 7) === 0 || n === 2 || n === 4;
    const late = look && Date.now() - this.#sliceStart >= (many ? sliceMs : slowMs);
    if (late || this.#batch.length >= batchChars) {
      this.#flush();
      return true;
    }
    if (!this.#turnAsked) {
      this.#turnAsked = true;
      endOfTurn(this.#turnEnded);
    }
    return false;
  }

  readonly #turnEnded = () => {
    this.#turnAsked = false;
    if (!this.#ended && this.#batch !== "") this.#flush();
    this.#endFirstTurn();
    this.#endFirstTurn = nothing;
  };

  #close(reason: EndReason, error?: unknown): void {
    if (reason === "error" && (this.#sentEvents || this.#controller !== null)) {
      console.error("a stream failed:", error);
    }
    this.#last = { reason, error };
    this.#batch += this.encoder.end(reason) ?? "";
    this.#flush();
  }

  /** Hands over what there is, if the reader wants it; ends the body after the last of it. */
  #flush(): void {
    if (this.#controller === null) {
      this.#wanted = false;
      this.#started = true;
      this.#endFirstTurn();
      return this.#onStart?.();
    }
    if (!this.#wanted || this.#ended) return;
    if (this.#batch !== "") {
      const chunk = encoder.encode(this.#batch);
      this.#batch = "";
      this.#enqueue(chunk);
    }
    // Within `enqueue` the runtime may find that the client has gone, and cancel; then nothing more may be done.
    if (this.#block !== null && !this.#ended) {
      const block = this.#block;
      this.#block = null;
      this.#enqueue(block);
    }
    if (this.#last === null || this.#ended) return;
    if (this.#last.reason !== "complete" && this.encoder.end("error") === null) {
      // A text stream has no other way to say that it was cut. What is queued has to be read first: an error drops it.
      if (!this.#wanted) return;
      this.#controller.error(cut(`the stream ended early: ${this.#last.reason}`));
    } else this.#controller.close();
    this.#settle(this.#last.reason === "complete" ? "complete" : "cut");
  }

  #enqueue(chunk: Uint8Array): void {
    this.#wanted = false;
    this.#idleSeconds = 0;
    this.#bytes += chunk.length;
    this.#controller!.enqueue(chunk);
  }

  /** The end of every path: tells the edge, then returns the generator, which runs its `finally`. */
  #settle(how: "complete" | "cut"): void {
    if (this.#ended) return;
    this.#ended = true;
    this.edge.ended(how, this.#bytes);
    if (how === "cut") this.edge.stop();
    const cleanup = this.#source.return?.() ?? Promise.resolve();
    cleanup.then(undefined, cleanupFailed).then(() => this.edge.released());
  }
}

const nothing = () => {};

const cleanupFailed = (error: unknown) => console.error("a generator failed in its cleanup:", error);

const isAscii = (text: string) => !/[^\0-\x7f]/.test(text);

/** What a body is errored with to reset its connection. Deno prints it, and one line says it all. */
function cut(why: string): Error {
  const error = new Error(why);
  error.stack = `a response was cut: ${why}`;
  return error;
}
