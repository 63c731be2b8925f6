import type { Limits } from "../limits.ts";
import type { Exchange } from "../stream/exchange.ts";
import { byteLength } from "../stream/json.ts";
import type { OpenBody, Parting } from "../stream/open_bodies.ts";
import { type Close, closeOf, closeWith } from "./close_code.ts";
import { type AllInboxes, Inbox } from "./inbox.ts";
import { Outbox, type OutboxHooks } from "./outbox.ts";
import { QuietClose } from "./quiet_close.ts";
import type { RoomWatch } from "./room_watch.ts";
import type { Socket, SocketData } from "./socket.ts";

/** Bytes of a message, in UTF-8. */
const maxMessageBytes = 1_048_576;

/** A text no longer than this is counted by its characters: to look for longer ones costs more than the rest. */
const shortChars = 1_024;

/** Bytes of a text, as far as they matter. */
function sizeOf(text: string): number {
  if (text.length <= shortChars) return text.length;
  return text.length > maxMessageBytes ? Infinity : byteLength(text);
}

/** Called before the peer hears of its upgrade; returns what is done once it is open. */
export type Begin = (connection: Connection) => () => void | Promise<void>;

/** What the connections of one server share. */
export interface Registry extends AllInboxes {
  readonly limits: Pick<Limits, "socketsBytes" | "socketCloseMs" | "socketStalledMs">;
  readonly watch: RoomWatch;
  /** A connection has ended, or is gone, or both. */
  changed(connection: Connection): void;
}

/**
 * One WebSocket: its function runs from the open to the close, and is told of the peer's going by the end of its loop and
 * by its signal. What may wait is bounded in both directions, and over a bound the socket is closed with a code and its
 * reason (RFC 6455, 7.4.1): 1003 not text, 1008 too fast, 1009 too big, 1013 too slow, 1011 the function failed, 1001 the
 * server is draining.
 */
export class Connection implements Socket<SocketData>, OpenBody, OutboxHooks {
  readonly #inbox: Inbox<SocketData>;
  readonly #outbox: Outbox;
  readonly #serve: () => void | Promise<void>;
  #controller: AbortController | null = null;
  #aborted = false;
  #closing: QuietClose | null = null;
  #drainTimer: ReturnType<typeof setTimeout> | undefined;
  /** The peer has gone, or has had its time for that. */
  #left = false;
  #serving = false;
  #received = 0;
  #sent = 0;
  /** The live stream on this socket, if there is one. */
  body: OpenBody | null = null;
  /** The runtime has let go of the socket, which a peer that reads nothing can put off. */
  gone = false;

  /** A socket that was just upgraded. */
  constructor(
    readonly socket: WebSocket,
    readonly exchange: Exchange,
    readonly registry: Registry,
    begin: Begin,
    readonly binary: boolean,
    readonly protocol: string,
  ) {
    this.#inbox = new Inbox(registry);
    this.#outbox = new Outbox(socket, registry.watch, registry.limits.socketStalledMs, this);
    socket.binaryType = "arraybuffer";
    // An error is followed by a close.
    for (const type of ["open", "message", "close"]) socket.addEventListener(type, this);
    exchange.opened();
    exchange.bodies.add(this, exchange.allowed);
    this.#serve = begin(this);
  }

  /** The socket has left and its function has ended: it is served no more. */
  get ended(): boolean {
    return this.#left && !this.#serving;
  }

  /** Made on first use: many functions never look at it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  [Symbol.asyncIterator](): AsyncIterator<SocketData, undefined> {
    return this.#inbox[Symbol.asyncIterator]();
  }

  send(message: SocketData, max?: number): Promise<void> | undefined {
    return this.#outbox.send(message, max);
  }

  /** Resolves when nothing waits for room any longer; rejects as `send` does. */
  flushed(): Promise<void> | undefined {
    return this.#outbox.flushed();
  }

  close(code = 1000, reason = ""): void {
    this.#close(closeWith(code, reason));
  }

  handleEvent(event: Event): void {
    if (event.type === "message") this.#receive((event as MessageEvent).data);
    else if (event.type === "open") this.#run();
    else this.#end(event as CloseEvent);
  }

  tick(): boolean {
    return this.body?.tick() ?? false;
  }

  /** The function is told, and has its time to say something and return. */
  drain(why: Parting): void {
    this.body?.drain(why);
    if (why === "revoked") return this.body === null ? this.close(1008, "no longer allowed") : undefined;
    this.#abort(true);
    this.#drainTimer = setTimeout(() => {
      this.#finish();
      if (this.#closing === null) this.cancel();
    }, this.registry.limits.socketCloseMs);
  }

  cancel(): void {
    this.#leave(true);
  }

  sent(bytes: number): void {
    this.#sent++;
    this.exchange.sent(bytes);
  }

  tooSlow(): void {
    this.#close({ code: 1013, reason: "too slow: what was sent has not been read" });
  }

  async #run(): Promise<void> {
    const { exchange, socket } = this;
    this.#serving = true;
    try {
      if (!exchange.draining.aborted) await this.#serve();
      await this.flushed();
      this.#finish();
    } catch (error) {
      // Ending by the abort is no failure.
      const aborted = this.#aborted || socket.readyState !== WebSocket.OPEN;
      if (aborted && error instanceof DOMException && error.name === "AbortError") this.#finish();
      else this.#close(closeOf(error, exchange.report));
    }
    this.#serving = false;
    this.#inbox.end(true);
    this.registry.changed(this);
  }

  /** The function has nothing more to say. */
  #finish(): void {
    const { aborted } = this.exchange.draining;
    this.#close(aborted ? { code: 1001, reason: "the server is shutting down" } : { code: 1000, reason: "" });
  }

  #receive(data: string | ArrayBuffer): void {
    if (this.#closing !== null) return this.#closing.heard();
    const binary = typeof data !== "string";
    if (binary && !this.binary) return this.#close({ code: 1003, reason: "a message must be text" });
    const bytes = binary ? data.byteLength : sizeOf(data);
    if (bytes > maxMessageBytes) {
      return this.#close({ code: 1009, reason: `a message must have at most ${maxMessageBytes} bytes` });
    }
    this.#received++;
    if (this.#aborted) return;
    const refused = this.#inbox.add(binary ? new Uint8Array(data) : data, bytes);
    if (refused !== null) this.#close(refused);
  }

  /** Closes as soon as the peer is quiet; one that is not in time, or does not answer, gives its place up all the same. */
  #close({ code, reason }: Close): void {
    if (this.#closing !== null || this.#left || this.socket.readyState !== WebSocket.OPEN) return;
    const { socketCloseMs } = this.registry.limits;
    this.#closing = new QuietClose(this.socket, code, reason, socketCloseMs, () => this.cancel());
    clearTimeout(this.#drainTimer);
    this.body?.cancel();
    this.#outbox.close();
    this.#abort(true);
  }

  /** The function is to end: what has come and is not read yet is dropped, or still to be read. */
  #abort(drop: boolean): void {
    this.#inbox.end(drop);
    this.#aborted = true;
    this.#controller?.abort();
  }

  /** The runtime says so, and can say it twice; of a peer that has vanished it has another code. */
  #end({ wasClean, code, reason }: CloseEvent): void {
    this.#leave(!wasClean, wasClean ? code : 1006, reason);
    this.gone = true;
    this.registry.changed(this);
  }

  /** Our own close, if there was one, says more than the peer's. */
  #leave(cut: boolean, theirs = 1006, said = ""): void {
    if (this.#left) return;
    this.#left = true;
    this.#closing?.stop();
    clearTimeout(this.#drainTimer);
    this.body?.cancel();
    this.#outbox.close();
    this.#abort(false);
    this.exchange.bodies.delete(this);
    const { code, reason } = this.#closing ?? { code: theirs, reason: said };
    const clean = !cut && ([1000, 1001, 1005].includes(code) || code >= 3000);
    const counts = { messages: this.#sent, received: this.#received };
    this.exchange.ended(clean ? "complete" : "cut", { code, reason, ...counts });
    this.registry.changed(this);
  }
}
