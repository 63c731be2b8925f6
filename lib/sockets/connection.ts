import { sleep } from "../stream/clock.ts";
import type { Exchange } from "../stream/exchange.ts";
import { byteLength } from "../stream/json.ts";

/** Turns a text message into its answer. `signal` aborts when the socket is gone. */
export type Process = (message: string, signal: AbortSignal) => Promise<string>;

/** Bytes of a message, in UTF-8. */
const maxMessageBytes = 1_048_576;
/** Messages of one socket that wait for their answers, and their characters. */
const maxQueued = 1_000;
const maxQueuedChars = 4_194_304;
/** Bytes of answers that a peer has not read, unless it is a single one. */
const maxUnsentBytes = 1_048_576;
/** Time between two looks at what is unsent, in ms, and how many may find no less. */
const lookMs = 5;
const maxLooks = 200;
/** Nothing may have come for this long before the close, in ms: a close between two messages reaches the peer as 1006. */
const quietMs = 50;

/**
 * One WebSocket. A message is processed when the one before it has been answered, so answers keep their order; what may
 * wait is bounded in both directions, and over a bound the socket is closed with a code and its reason: 1003 not text,
 * 1008 too fast, 1009 too big, 1013 too slow, 1011 the processing failed, 1001 the server is draining (RFC 6455, 7.4.1).
 */
export class Connection {
  readonly #controller = new AbortController();
  /** Messages that are not answered yet; the first is being processed. */
  readonly #queue: string[] = [];
  #queuedChars = 0;
  readonly #left = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  /** Resolves when the socket is gone, or has had its time for that: it is served no more. */
  readonly left: Promise<void> = this.#left.promise;
  /** Resolves when the runtime has let go of the socket, which a peer that reads nothing can put off. */
  readonly gone: Promise<void> = this.#gone.promise;
  /** It is to be closed: what comes is dropped. */
  #closing = false;
  /** Nothing has come since the last look. */
  #quiet = true;
  #quietTimer: ReturnType<typeof setInterval> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  /** A socket that was just upgraded; once it is to be closed, it has `closeMs` for that. */
  constructor(
    readonly socket: WebSocket,
    readonly exchange: Exchange,
    readonly process: Process,
    readonly closeMs: number,
  ) {
    exchange.opened();
    const drain = () => exchange.draining.aborted && this.#close(1001, "the server is shutting down");
    exchange.draining.addEventListener("abort", drain, { signal: this.#controller.signal });
    socket.onopen = drain;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onerror = () => this.#end(0);
    socket.onclose = ({ code }) => this.#end(code);
  }

  /** Closes as soon as the peer is quiet; one that is not in time, or does not answer, gives its place up all the same. */
  #close(code: number, reason: string): void {
    if (this.#closing || this.socket.readyState !== WebSocket.OPEN) return;
    this.#closing = true;
    const close = () => {
      clearInterval(this.#quietTimer);
      if (this.socket.readyState === WebSocket.OPEN) this.socket.close(code, reason);
    };
    this.#quietTimer = setInterval(() => {
      if (this.#quiet) close();
      this.#quiet = true;
    }, quietMs);
    this.#closeTimer = setTimeout(() => {
      close();
      this.#leave(0);
    }, this.closeMs);
  }

  #end(code: number): void {
    this.#leave(code);
    this.#gone.resolve();
  }

  /** `onclose` can come twice, and not at all before `onerror`: leaving has to be idempotent. */
  #leave(code: number): void {
    if (this.#controller.signal.aborted) return;
    this.#controller.abort();
    clearInterval(this.#quietTimer);
    clearTimeout(this.#closeTimer);
    this.#queue.length = 0;
    this.exchange.ended(code === 1000 || code === 1001 || code === 1005 ? "complete" : "cut");
    this.#left.resolve();
  }

  #receive(data: unknown): void {
    this.#quiet = false;
    if (this.#closing || this.socket.readyState !== WebSocket.OPEN) return;
    if (typeof data !== "string") return this.#close(1003, "a message must be text");
    if (data.length > maxMessageBytes || byteLength(data) > maxMessageBytes) {
      return this.#close(1009, `a message must have at most ${maxMessageBytes} bytes`);
    }
    if (this.#queue.length >= maxQueued || this.#queuedChars + data.length > maxQueuedChars) {
      return this.#close(1008, "too many messages are waiting for their answers");
    }
    this.#queuedChars += data.length;
    if (this.#queue.push(data) === 1) this.#work();
  }

  async #work(): Promise<void> {
    const { signal } = this.#controller;
    try {
      while (this.#queue.length > 0 && !this.#closing) {
        const message = this.#queue[0];
        const answer = await this.process(message, signal);
        if (this.socket.bufferedAmount > 0) await this.#room(answer, signal);
        if (!this.#closing && this.socket.readyState === WebSocket.OPEN) this.socket.send(answer);
        this.#queue.shift();
        this.#queuedChars -= message.length;
      }
    } catch (error) {
      if (signal.aborted) return;
      this.exchange.report("a socket's message could not be processed", error);
      this.#close(1011, "internal error");
    }
  }

  /** Waits for room for an answer; a peer that takes nothing for a while is too slow. */
  async #room(answer: string, signal: AbortSignal): Promise<void> {
    const bytes = byteLength(answer);
    let least = Infinity;
    let looks = 0;
    // One that is alone is taken whatever its size: it could never be sent otherwise.
    for (let unsent; (unsent = this.socket.bufferedAmount) > 0 && unsent + bytes > maxUnsentBytes;) {
      if (unsent < least) looks = 0;
      least = unsent;
      if (++looks > maxLooks) return this.#close(1013, "too slow: what was sent has not been read");
      await sleep(lookMs, signal);
    }
  }
}
