import type { Exchange } from "../stream/exchange.ts";
import { byteLength } from "../stream/json.ts";

/** Turns a text message into its answer. `signal` aborts when the socket is gone. */
export type Process = (message: string, signal: AbortSignal) => Promise<string>;

/** Bytes of a message, in UTF-8. */
const maxMessageBytes = 1_048_576;
/** Messages of one socket that wait for their answers, and their characters. */
const maxQueued = 1_000;
const maxQueuedChars = 4_194_304;
/** Bytes of answers that a peer has not read. */
const maxUnsentBytes = 8_388_608;

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
  readonly #gone = Promise.withResolvers<void>();
  /** Resolves when the socket is gone. */
  readonly gone: Promise<void> = this.#gone.promise;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  /** A socket that was just upgraded; its peer has `closeMs` to answer our close. */
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
    socket.onerror = () => this.#leave(0);
    socket.onclose = ({ code }) => this.#leave(code);
  }

  /** A peer that does not answer the close in time gives its slot up all the same. */
  #close(code: number, reason: string): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.close(code, reason);
    this.#closeTimer = setTimeout(() => this.#leave(0), this.closeMs);
  }

  /** `onclose` can come twice, and not at all before `onerror`: leaving has to be idempotent. */
  #leave(code: number): void {
    if (this.#controller.signal.aborted) return;
    this.#controller.abort();
    clearTimeout(this.#closeTimer);
    this.exchange.ended(code === 1000 || code === 1001 || code === 1005 ? "complete" : "cut");
    this.#gone.resolve();
  }

  #receive(data: unknown): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
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
      while (this.#queue.length > 0 && !signal.aborted) {
        const answer = await this.process(this.#queue[0], signal);
        this.#queuedChars -= this.#queue.shift()!.length;
        this.#send(answer);
      }
    } catch (error) {
      if (signal.aborted) return;
      this.exchange.report("a socket's message could not be processed", error);
      this.#close(1011, "internal error");
    }
  }

  #send(message: string): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount <= maxUnsentBytes) return this.socket.send(message);
    this.#close(1013, "too slow: what was sent has not been read");
  }
}
