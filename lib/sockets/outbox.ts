import { byteLength } from "../stream/json.ts";
import type { RoomWatch } from "./room_watch.ts";
import type { SocketData } from "./socket.ts";

/** Bytes that the runtime may hold unsent for one socket, unless they are a single message. */
const maxUnsentBytes = 1_048_576;
/** Messages that may wait for room, and their bytes: those of senders that do not wait for their promises. */
const maxWaiting = 1_000;
const maxWaitingBytes = 4_194_304;

interface Waiting {
  message: SocketData;
  bytes: number;
  /** Bytes that may be unsent with it. */
  max: number;
  since: number;
  sent: PromiseWithResolvers<void>;
}

/** What an outbox tells its socket. */
export interface OutboxHooks {
  /** A message was handed to the runtime. */
  sent(bytes: number): void;
  /** The peer does not read. */
  tooSlow(): void;
}

/** Sends on one socket, in order, and no more than the peer reads. */
export class Outbox {
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Bytes that may be unsent: the runtime is asked only when this says that there is no room. */
  #atMost = 0;
  #closed = false;

  /** A message may wait for `stalledMs`, in ms. */
  constructor(
    readonly socket: WebSocket,
    readonly watch: RoomWatch,
    readonly stalledMs: number,
    readonly hooks: OutboxHooks,
  ) {}

  /** See {@linkcode Socket.send}; `max` is how much may be unsent with the message, in bytes. */
  send(message: SocketData, max: number = maxUnsentBytes): Promise<void> | undefined {
    if (this.#closed) return rejected();
    const bytes = typeof message === "string" ? byteLength(message) : message.byteLength;
    if (this.#waiting.length === 0 && this.#hasRoom(bytes, max)) {
      this.#hand(message, bytes);
      return;
    }
    const count = this.#waiting.length;
    if (count >= maxWaiting || count > 0 && this.#waitingBytes + bytes > maxWaitingBytes) {
      this.hooks.tooSlow();
      return rejected();
    }
    const sent = Promise.withResolvers<void>();
    sent.promise.catch(() => {}); // One that nobody waits for is no failure either.
    this.#waiting.push({ message, bytes, max, since: performance.now(), sent });
    this.#waitingBytes += bytes;
    this.watch.add(this);
    return sent.promise;
  }

  /** What was sent so far has been handed over; rejects as `send` does. */
  flushed(): Promise<void> | undefined {
    return this.#waiting.at(-1)?.sent.promise;
  }

  /** Sends what there is room for; false when nothing waits any longer. */
  look(): boolean {
    const waiting = this.#waiting;
    const now = performance.now();
    while (waiting.length > 0 && this.#hasRoom(waiting[0].bytes, waiting[0].max)) {
      const { message, bytes, sent } = waiting.shift()!;
      this.#waitingBytes -= bytes;
      this.#hand(message, bytes);
      sent.resolve();
      // Those behind have waited for this one, and not for the peer.
      if (waiting.length > 0) waiting[0].since = now;
    }
    if (waiting.length > 0 && now - waiting[0].since >= this.stalledMs) this.hooks.tooSlow();
    return waiting.length > 0;
  }

  /** Nothing more is sent: what waits is dropped. */
  close(): void {
    this.#closed = true;
    for (const { sent } of this.#waiting.splice(0)) sent.reject(aborted());
    this.watch.delete(this);
  }

  /** One that is alone is taken whatever its size: it could never be sent otherwise. */
  #hasRoom(bytes: number, max: number): boolean {
    if (this.#atMost + bytes <= max) return true;
    this.#atMost = this.socket.bufferedAmount;
    return this.#atMost === 0 || this.#atMost + bytes <= max;
  }

  #hand(message: SocketData, bytes: number): void {
    this.#atMost += bytes;
    this.socket.send(message);
    this.hooks.sent(bytes);
  }
}

function aborted(): DOMException {
  return new DOMException("The socket has closed", "AbortError");
}

function rejected(): Promise<void> {
  const promise = Promise.reject(aborted());
  promise.catch(() => {});
  return promise;
}
