import { HttpError, type Report } from "../stream/errors.ts";
import { ndjson } from "../stream/formats/ndjson.ts";
import { LiveStream } from "../stream/live_stream.ts";
import type { LiveStreamHooks, Outlet } from "../stream/live_stream_hooks.ts";
import { cursor } from "../stream/response.ts";
import { SourceStart } from "../stream/source_start.ts";
import { iterable, type Source } from "../stream/source.ts";
import type { Ending } from "../stream/formats/format.ts";
import { isPublic } from "./close_code.ts";
import type { Connection } from "./connection.ts";
import type { UpgradeOptions } from "./socket.ts";
import { connect, type SocketExchange } from "./upgrade.ts";

/** How {@linkcode streamSocket} streams. */
export interface StreamSocketOptions extends Omit<UpgradeOptions, "binary"> {
  /**
   * Called with each message that the peer sends, when it is done with the one before. An HttpError that it throws is
   * answered with a `refused` record of its status, message and details, but a 403 closes with 1008. Default: a message closes with
   * 1008.
   */
  receive?: (message: string) => unknown;
}

/** The source is asked for more only while no more bytes than this are unsent. */
const maxUnsentBytes = 65_536;

const decoder = new TextDecoder();
/** The text of blocks that many sockets share. */
const texts = new WeakMap<Uint8Array, string>();

/**
 * Answers an upgrade with a live stream, as `streamResponse` does a request: NDJSON's records as text messages, of one or
 * more whole lines each, with the same ids, gaps, pings and end. The cursor is `?after=`. After the end the socket is
 * closed: with 1000 after `complete`, 1001 after `shutdown`, 1011 after `error`.
 *
 * @throws HttpError as `upgrade` does, and 400 for a `?format=` other than ndjson
 */
export function streamSocket(
  request: Request,
  context: SocketExchange,
  source: Source,
  { receive, ...options }: StreamSocketOptions = {},
): Response {
  const format = context.query.get("format");
  if (format !== null && format !== "ndjson") {
    throw new HttpError(400, "format must be ndjson: a WebSocket takes no other");
  }
  const after = cursor(context);
  const begin = (connection: Connection) => {
    // It had everything already.
    if (after === "end") return () => connection.send(ndjson.end("complete")!);
    // Now, as what happens after the peer has heard of the upgrade is for it.
    const stream = new SocketStream(connection, after, source);
    return () => Promise.race([stream.run(), listen(connection, receive)]);
  };
  return connect(request, context, begin, options);
}

/** Rejects when the peer's message is not taken. */
async function listen(connection: Connection, receive: StreamSocketOptions["receive"]): Promise<never> {
  for await (const message of connection) {
    if (receive === undefined) throw new HttpError(400, "this stream takes no messages");
    try {
      await receive(message as string);
    } catch (error) {
      // Who may not send has the socket closed.
      if (!isPublic(error) || error.status === 403) throw error;
      const { status, message, options: { details } } = error;
      await connection.send(ndjson.event({ event: "refused", data: { status, message, ...details } }));
    }
  }
  // The stream has its own end.
  return new Promise(() => {});
}

/** One run of a source on a socket: the live stream's outlet, and what the source is started with. */
class SocketStream extends SourceStart implements LiveStreamHooks, Outlet {
  /** Null when the source could not be started. */
  #stream: LiveStream | null = null;
  #failure: { error: unknown } | null = null;
  /** Resolves when there is something to send, or the first turn has had nothing. */
  readonly #begun = Promise.withResolvers<void>();
  /** Resolves when the source has ended its cleanup. */
  readonly #released = Promise.withResolvers<void>();
  #reason: Ending | undefined;

  constructor(readonly connection: Connection, cursor: string | undefined, source: Source) {
    super(cursor, ndjson, connection.exchange);
    try {
      this.#stream = connection.body = new LiveStream(iterable(source, this), ndjson, this);
    } catch (error) {
      this.#failure = { error };
    }
  }

  get signal(): AbortSignal {
    return this.connection.signal;
  }

  get report(): Report {
    return this.connection.exchange.report;
  }

  /** Streams to the end; throws what the source has thrown before its first event. */
  async run(): Promise<void> {
    const stream = this.#stream;
    if (stream !== null) {
      await this.#begun.promise;
      this.#failure = stream.failure();
      if (this.#failure === null) this.countOpen();
      stream.pull(this);
      await this.#released.promise;
      await this.connection.flushed();
    }
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#reason === "error") this.connection.close(1011, "internal error");
    if (this.#reason === "revoked") this.connection.close(1008, "no longer allowed");
  }

  enqueue(chunk: Uint8Array): void {
    let text = texts.get(chunk);
    if (text === undefined) texts.set(chunk, text = decoder.decode(chunk));
    const room = this.connection.send(text, maxUnsentBytes);
    const pull = () => this.#stream!.pull(this);
    if (room === undefined) pull();
    else room.then(pull, () => {}); // Closing, the connection cancels the stream.
  }

  close(): void {}

  error(): void {
    this.connection.tooSlow();
  }

  started(): void {
    this.#begun.resolve();
  }

  quiet(): void {
    this.#begun.resolve();
  }

  /** The signal is the connection's, which aborts after this. */
  stop(): void {}

  /** The connection counts for itself. */
  sent(): void {}

  ended(_how: "complete" | "cut", reason: Ending): void {
    this.countEnded(reason);
    this.#reason = reason;
    this.#begun.resolve();
  }

  released(): void {
    this.#released.resolve();
  }
}
