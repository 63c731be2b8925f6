import type { Exchange } from "../stream/exchange.ts";

/** Turns a text message into its answer. `signal` aborts when the socket is gone. */
export type Process = (message: string, signal: AbortSignal) => Promise<string>;

/** Bytes of a message, in UTF-8. */
const maxMessageBytes = 1_048_576;
/** Messages of one socket that wait for their answers, and their characters. */
const maxQueued = 1_000;
const maxQueuedChars = 4_194_304;
/** Bytes of answers that a peer has not read. */
const maxUnsentBytes = 8_388_608;

/** What a {@linkcode Connection} is made with. */
export interface ConnectionOptions {
  /** Makes the answers. */
  process: Process;
  /** The request that was upgraded. */
  exchange: Exchange;
  /** Time that the peer has to answer our close, in ms. */
  closeMs: number;
  /** Called once, when the socket is gone. */
  left(connection: Connection): void;
}

/**
 * One WebSocket. A message is processed when the one before it has been answered, so answers keep their order; what may
 * wait is bounded in both directions, and over a bound the socket is closed with a code and its reason: 1003 not text,
 * 1008 too fast, 1009 too big, 1013 too slow, 1011 the processing failed (RFC 6455, 7.4.1).
 */
export class Connection {
  readonly #controller = new AbortController();
  readonly #queue: string[] = [];
  #queuedChars = 0;
  #working = false;
  #left = false;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  /** A socket that was just upgraded; `opened` is called when it can be written to. */
  constructor(readonly socket: WebSocket, readonly options: ConnectionOptions, opened: () => void) {
    options.exchange.opened();
    socket.onopen = opened;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onerror = () => this.#leave(0);
    socket.onclose = ({ code }) => this.#leave(code);
  }

  /** Closes with a code and its reason. A peer that does not answer in time gives its slot up all the same. */
  close(code: number, reason: string): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.close(code, reason);
    this.#closeTimer = setTimeout(() => this.#leave(0), this.options.closeMs);
  }

  /** `onclose` can come twice, and not at all before `onerror`: leaving has to be idempotent. */
  #leave(code: number): void {
    if (this.#left) return;
    this.#left = true;
    clearTimeout(this.#closeTimer);
    this.#controller.abort();
    const { exchange, left } = this.options;
    exchange.finished(code === 1000 || code === 1001 || code === 1005 ? "complete" : "cut");
    left(this);
  }

  #receive(data: unknown): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (typeof data !== "string") return this.close(1003, "a message must be text");
    if (!fits(data)) return this.close(1009, `a message must have at most ${maxMessageBytes} bytes`);
    if (this.#queue.length >= maxQueued || this.#queuedChars + data.length > maxQueuedChars) {
      return this.close(1008, "too many messages are waiting for their answers");
    }
    this.#queue.push(data);
    this.#queuedChars += data.length;
    if (!this.#working) this.#work();
  }

  async #work(): Promise<void> {
    const { signal } = this.#controller;
    const { process, exchange } = this.options;
    const queue = this.#queue;
    this.#working = true;
    try {
      for (let at = 0; at < queue.length && !signal.aborted;) {
        const message = queue[at++];
        const answer = await process(message, signal);
        this.#queuedChars -= message.length;
        if (at === queue.length || at === 256) queue.splice(0, at), at = 0;
        this.#send(answer);
      }
    } catch (error) {
      if (!signal.aborted) {
        exchange.report("a socket's message could not be processed", error);
        this.close(1011, "internal error");
      }
    } finally {
      this.#working = false;
    }
  }

  #send(message: string): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount <= maxUnsentBytes) return this.socket.send(message);
    this.close(1013, "too slow: what was sent has not been read");
  }
}

const encoder = new TextEncoder();

/** A UTF-16 unit is one to three bytes of UTF-8: only what lies between has to be counted. */
function fits(message: string): boolean {
  return message.length * 3 <= maxMessageBytes ||
    message.length <= maxMessageBytes && encoder.encode(message).length <= maxMessageBytes;
}
