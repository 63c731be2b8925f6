import { Batch } from "./batch.ts";
import { endOfTurn } from "./clock.ts";
import { CutError, shuttingDown, StreamEnd } from "./errors.ts";
import { CursorAt, Encoded, eventOf } from "./event.ts";
import type { Ending, EndReason, Format } from "./formats/format.ts";
import { byteLength } from "./json.ts";
import type { LiveStreamHooks, Outlet } from "./live_stream_hooks.ts";
import type { OpenBody, Parting } from "./open_bodies.ts";
import { Pump, type Sink } from "./pump.ts";

/** Seconds until an idle stream is pinged, and until a reader is cut that takes nothing while bytes wait for it. */
const [idleSeconds, stalledSeconds] = [15, 300];
const encoder = new TextEncoder();

/**
 * A generator as a response body.
 *
 * Batching: values that are ready in the same turn of the event loop leave as one chunk. When the generator has to wait,
 * the batch leaves at the end of that turn, so nothing ever waits for a later value. Back-pressure: the generator is asked
 * for a value only while the reader wants bytes, so it is never more than one value ahead. Endings: a body ends cleanly
 * only when its format has said how, or is complete.
 *
 * Cancellation, the whole story: a generator acquires inside itself, passes its signal to every await and cleans up in
 * `finally`. When the client goes, the body's `cancel()` runs: the signal aborts, which ends whatever the generator
 * awaits, and `return()` runs its `finally`. Nobody else has to know.
 */
export class LiveStream implements UnderlyingDefaultSource<Uint8Array>, OpenBody, Sink {
  readonly #pump: Pump;
  #controller: Outlet | null = null;
  readonly #batch = new Batch();
  #turnAsked = true;
  #started = false;
  #taken = false;
  #wanted = true;
  /** How the body ends once the batch is out: null while it lives. */
  #last: { reason: EndReason; failure: { error: unknown } | null } | null = null;
  #ended = false;
  #sentEvents = false;
  /** Where the stream is, and the id that the client has last. */
  #cursor: string | undefined;
  #told: string | undefined;
  #idle = 0;

  /** Starts the generator in this very turn. */
  constructor(source: AsyncIterable<unknown>, readonly format: Format, readonly hooks: LiveStreamHooks) {
    this.#told = hooks.cursor;
    endOfTurn(this.#turnEnded);
    this.#pump = new Pump(source, this, hooks.report);
    this.#pump.ask();
  }

  get wants(): boolean {
    return this.#wanted;
  }

  /** The whole body, if the stream is complete already: then it needs no stream at all, which saves half the work. */
  whole(): string | null {
    const body = this.#last === null || this.#onlyCut() ? null : this.#batch.takeWhole();
    if (body === null) return null;
    this.hooks.sent(byteLength(body));
    this.#settle(this.#last!.reason);
    return body;
  }

  /** The failure before the first event, if there was one: it can still become a status. */
  failure(): { error: unknown } | null {
    return this.#sentEvents ? null : this.#last?.failure ?? null;
  }

  /** The body. Its first chunk is what the generator had ready. */
  body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#wanted = false;
    const body = new ReadableStream<Uint8Array>(this, { highWaterMark: 0 });
    return body as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  /** The reader wants bytes. This and `cancel` make the stream its body's underlying source. */
  pull(controller: Outlet): void {
    this.#controller = controller;
    this.#wanted = true;
    if (this.#last !== null || !this.#batch.empty) this.#flush();
    else this.#pump.ask();
  }

  cancel(): void {
    this.#settle("left");
  }

  drain(why: Parting): void {
    if (this.#ended || this.#last !== null) return;
    this.#end(why, why === "shutdown" ? { error: shuttingDown() } : null);
    this.hooks.stop();
  }

  /** Called once a second; true when it has written a ping. */
  tick(): boolean {
    this.#idle++;
    if (this.#controller === null) return false;
    // What waits for the end of its turn goes first, or the ping would tell a cursor of what has not been sent.
    if (this.#wanted && this.#idle >= idleSeconds && this.#batch.empty) {
      const ping = this.format.ping(this.#cursor, this.#cursor !== this.#told);
      this.#told = this.#cursor;
      if (ping !== "") this.#enqueue(encoder.encode(ping));
      return ping !== "";
    }
    if (!this.#wanted && this.#idle >= stalledSeconds) {
      this.#controller.error(new CutError("the reader has taken nothing for five minutes"));
      this.#settle("stalled");
    }
    return false;
  }

  take(value: unknown): boolean {
    if (!this.#taken) {
      this.#taken = true;
      const preamble = this.hooks.preamble(value);
      if (preamble !== "") this.#batch.add(preamble);
    }
    if (value instanceof Encoded) return this.#block(value.bytes, value.lastId, value.events);
    if (value instanceof CursorAt) {
      const record = this.format.start(value.id);
      this.#cursor = value.id;
      if (record !== "") this.#told = value.id;
      const share = this.#batch.add(record);
      this.#flush();
      return share;
    }
    const event = eventOf(value);
    const { id, data } = event;
    if (data instanceof Uint8Array && this.format.name === "text") return this.#block(data, id, 1);
    // What cannot be encoded throws, and has not been sent.
    const share = this.#batch.add(this.format.event(event));
    this.#sentEvents = true;
    this.hooks.counts.sent(event);
    if (event.event === "gap") this.hooks.missed();
    if (id !== undefined) this.#cursor = this.#told = id;
    if (share) this.#flush();
    else if (!this.#turnAsked) {
      this.#turnAsked = true;
      endOfTurn(this.#turnEnded);
    }
    return share;
  }

  #block(bytes: Uint8Array, lastId: string | undefined, events: number): boolean {
    if (lastId !== undefined) this.#cursor = lastId;
    this.hooks.counts.events += events;
    const share = bytes.length === 0 && this.#batch.add("");
    if (bytes.length > 0) {
      this.#sentEvents = true;
      if (lastId !== undefined) this.#told = lastId;
      this.#batch.addBlock(bytes);
    }
    this.#flush();
    return share;
  }

  close(failure: { error: unknown } | null): void {
    if (failure === null) return this.#end("complete");
    const { error } = failure;
    if (error instanceof StreamEnd) return this.#end(error.reason);
    if (this.#sentEvents || this.#controller !== null) this.hooks.report("a stream failed", error);
    this.#end("error", failure);
  }

  readonly #turnEnded = () => {
    this.#turnAsked = false;
    if (this.#ended) return;
    if (!this.#batch.empty) this.#flush();
    else if (!this.#started) this.hooks.quiet();
  };

  #end(reason: EndReason, failure: { error: unknown } | null = null): void {
    this.#pump.stopped = true;
    this.#last = { reason, failure };
    const record = this.format.end(reason);
    if (record !== null) this.#batch.add(record);
    this.#flush();
  }

  /** Whether this ending can be shown only by breaking the body off. */
  #onlyCut(): boolean {
    return this.#last!.reason !== "complete" && this.format.end("error") === null;
  }

  /** Hands over the batch, if the reader wants bytes; ends the body after the last of it. */
  #flush(): void {
    if (!this.#started) {
      this.#started = true;
      this.hooks.started();
    }
    if (this.#controller === null) this.#wanted = false;
    if (this.#controller === null || !this.#wanted || this.#ended) return;
    // Within `enqueue` the runtime may find that the client has gone, and cancel; then nothing more may be done.
    while (!this.#batch.empty && !this.#ended) this.#enqueue(this.#batch.take());
    if (this.#last === null || this.#ended) return;
    if (this.#onlyCut()) {
      // What is queued has to be read first: an error drops it.
      if (!this.#wanted) return;
      this.#controller.error(new CutError(`the stream ended early: ${this.#last.reason}`));
    } else this.#controller.close();
    this.#settle(this.#last.reason);
  }

  #enqueue(chunk: Uint8Array): void {
    this.#wanted = false;
    this.#idle = 0;
    this.hooks.sent(chunk.length);
    this.#controller!.enqueue(chunk);
  }

  /** The end of every path: tells the hooks, then returns the generator, which runs its `finally`. */
  #settle(reason: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    this.hooks.ended(reason === "complete" ? "complete" : "cut", reason);
    if (reason !== "complete") this.hooks.stop();
    this.#pump.stop(() => this.hooks.released());
  }
}
