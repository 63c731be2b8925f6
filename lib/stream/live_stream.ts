import { Batch } from "./batch.ts";
import { endOfTurn } from "./clock.ts";
import { shuttingDown } from "./errors.ts";
import { CursorAt, Encoded } from "./event.ts";
import type { EndReason, Format } from "./formats/format.ts";
import { byteLength } from "./json.ts";
import type { LiveStreamHooks } from "./live_stream_hooks.ts";
import type { OpenBody } from "./open_bodies.ts";
import { Pump, type Sink } from "./pump.ts";
import type { StreamItem } from "./source.ts";

/** Seconds until an idle stream is pinged, and until a reader is cut that takes nothing while bytes wait for it. */
const idleSeconds = 15;
const stalledSeconds = 300;

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
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  readonly #batch = new Batch();
  #block: Uint8Array | null = null;
  #turnAsked = true;
  #started = false;
  #wanted = true;
  /** How the body ends once the batch is out: null while it lives. */
  #last: { reason: EndReason; error?: unknown } | null = null;
  #ended = false;
  #sentEvents = false;
  /** Where the stream is, and the id that the client has last. */
  #cursor: string | undefined;
  #told: string | undefined;
  #idle = 0;

  /** Starts the generator in this very turn. */
  constructor(source: AsyncIterable<StreamItem>, readonly format: Format, readonly hooks: LiveStreamHooks) {
    this.#told = hooks.after;
    endOfTurn(this.#turnEnded);
    this.#pump = new Pump(source, this, hooks.report);
    this.#pump.ask();
  }

  get wants(): boolean {
    return this.#wanted;
  }

  /** The whole body, if the stream is complete already: then it needs no stream at all, which saves half the work. */
  whole(): string | null {
    if (this.#last === null || this.#block !== null || this.#onlyCut()) return null;
    const body = this.#batch.take();
    this.hooks.sent(byteLength(body));
    this.#settle(this.#last.reason === "complete" ? "complete" : "cut");
    return body;
  }

  /** The failure before the first event, if there was one: it can still become a status. */
  failure(): { error: unknown } | null {
    if (this.#sentEvents || this.#last === null || this.#last.reason === "complete") return null;
    return { error: this.#last.error };
  }

  /** The body. Its first chunk is what the generator had ready. */
  body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#wanted = false;
    const body = new ReadableStream<Uint8Array>(this, { highWaterMark: 0 });
    return body as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  /** The reader wants bytes. This and `cancel` make the stream its body's underlying source. */
  pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.#wanted = true;
    if (this.#last !== null || !this.#batch.empty || this.#block !== null) this.#flush();
    else this.#pump.ask();
  }

  cancel(): void {
    this.#settle("cut");
  }

  drain(): void {
    if (this.#ended || this.#last !== null) return;
    this.#end("shutdown", shuttingDown());
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
      this.#controller.error(cut("the reader has taken nothing for five minutes"));
      this.#settle("cut");
    }
    return false;
  }

  take(item: StreamItem): boolean {
    if (item instanceof Encoded) {
      if (item.lastId !== undefined) this.#cursor = item.lastId;
      if (item.bytes.length > 0) {
        this.#sentEvents = true;
        if (item.lastId !== undefined) this.#told = item.lastId;
        this.#block = item.bytes;
      }
      this.#flush();
      return false;
    }
    if (item instanceof CursorAt) {
      const record = this.format.start(item.id);
      this.#cursor = item.id;
      if (record !== "") this.#told = item.id;
      this.#batch.add(record);
      this.#flush();
      return false;
    }
    // What cannot be encoded throws, and has not been sent.
    const share = this.#batch.add(this.format.event(item));
    this.#sentEvents = true;
    if (item.id !== undefined) this.#cursor = this.#told = item.id;
    if (share) this.#flush();
    else if (!this.#turnAsked) {
      this.#turnAsked = true;
      endOfTurn(this.#turnEnded);
    }
    return share;
  }

  close(failure: { error: unknown } | null): void {
    if (failure === null) return this.#end("complete");
    if (this.#sentEvents || this.#controller !== null) this.hooks.report("a stream failed", failure.error);
    this.#end("error", failure.error);
  }

  readonly #turnEnded = () => {
    this.#turnAsked = false;
    if (this.#ended) return;
    if (!this.#batch.empty) this.#flush();
    else if (!this.#started) this.hooks.quiet();
  };

  #end(reason: EndReason, error?: unknown): void {
    this.#pump.stopped = true;
    this.#last = { reason, error };
    const record = this.format.end(reason);
    if (record !== null) this.#batch.add(record);
    this.#flush();
  }

  /** Whether this ending can be shown only by breaking the body off. */
  #onlyCut(): boolean {
    return this.#last!.reason !== "complete" && this.format.end("error") === null;
  }

  /** Hands over the batch and the block, if the reader wants bytes; ends the body after the last of them. */
  #flush(): void {
    if (!this.#started) {
      this.#started = true;
      this.hooks.started();
    }
    if (this.#controller === null) this.#wanted = false;
    if (this.#controller === null || !this.#wanted || this.#ended) return;
    if (!this.#batch.empty) this.#enqueue(encoder.encode(this.#batch.take()));
    // Within `enqueue` the runtime may find that the client has gone, and cancel; then nothing more may be done.
    if (this.#block !== null && !this.#ended) {
      const block = this.#block;
      this.#block = null;
      this.#enqueue(block);
    }
    if (this.#last === null || this.#ended) return;
    if (this.#onlyCut()) {
      // What is queued has to be read first: an error drops it.
      if (!this.#wanted) return;
      this.#controller.error(cut(`the stream ended early: ${this.#last.reason}`));
    } else this.#controller.close();
    this.#settle(this.#last.reason === "complete" ? "complete" : "cut");
  }

  #enqueue(chunk: Uint8Array): void {
    this.#wanted = false;
    this.#idle = 0;
    this.hooks.sent(chunk.length);
    this.#controller!.enqueue(chunk);
  }

  /** The end of every path: tells the hooks, then returns the generator, which runs its `finally`. */
  #settle(how: "complete" | "cut"): void {
    if (this.#ended) return;
    this.#ended = true;
    this.hooks.ended(how);
    if (how === "cut") this.hooks.stop();
    this.#pump.stop(() => this.hooks.released());
  }
}

/** What a body is errored with to reset its connection. Deno prints it, and one line says it all. */
function cut(why: string): Error {
  const error = new Error(why);
  error.stack = `a response was cut: ${why}`;
  return error;
}
