import type { Limits } from "../limits.ts";
import type { Close } from "./close_code.ts";

/** Messages of one socket that are held at once, and their bytes: there is no back-pressure on what a peer sends. */
const maxMessages = 1_000;
const maxBytes = 4_194_304;

const ended: IteratorReturnResult<undefined> = { value: undefined, done: true };

/** What the inboxes of one server hold together. */
export interface AllInboxes {
  readonly limits: Pick<Limits, "socketsBytes">;
  /** Bytes of messages that wait for their functions, or are in work. */
  heldBytes: number;
}

/** The messages that a peer has sent, each for one of those who iterate over them. It is held until the next is asked for. */
export class Inbox<Message> implements AsyncIterable<Message> {
  readonly #queue: { message: Message; bytes: number }[] = [];
  /** The loops that wait for a message. */
  readonly #readers: Reader<Message>[] = [];
  #held = 0;
  #bytes = 0;
  #ended = false;

  constructor(readonly all: AllInboxes) {}

  /** Takes a message that has come; how to close its socket when too much is held already, of this one or of all. */
  add(message: Message, bytes: number): Close | null {
    if (this.#held >= maxMessages || this.#bytes + bytes > maxBytes) {
      return { code: 1008, reason: "too many messages are waiting for their answers" };
    }
    if (this.all.heldBytes + bytes > this.all.limits.socketsBytes) {
      return { code: 1013, reason: "the sockets together hold too many messages" };
    }
    this.#held++;
    this.#bytes += bytes;
    this.all.heldBytes += bytes;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#queue.push({ message, bytes });
    else reader.take(message, bytes);
    return null;
  }

  /** No more messages come; those that wait can be read, unless they are dropped. */
  end(drop: boolean): void {
    this.#ended = true;
    if (drop) { for (const { bytes } of this.#queue.splice(0)) this.release(bytes); }
    for (const reader of this.#readers.splice(0)) reader.end();
  }

  /** Gives the reader a message, now or when there is one. */
  read(reader: Reader<Message>): void {
    const next = this.#queue.shift();
    if (next !== undefined) reader.take(next.message, next.bytes);
    else if (this.#ended) reader.end();
    else this.#readers.push(reader);
  }

  release(bytes: number): void {
    this.#held--;
    this.#bytes -= bytes;
    this.all.heldBytes -= bytes;
  }

  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return new Reader(this);
  }
}

/** One loop over the messages. Leaving it leaves the others, and the socket, as they are. */
class Reader<Message> implements AsyncIterator<Message, undefined> {
  /** Bytes of the message that is being worked on; -1 without one. */
  #bytes = -1;
  #resolve: (result: IteratorResult<Message, undefined>) => void = () => {};

  constructor(readonly inbox: Inbox<Message>) {}

  next(): Promise<IteratorResult<Message, undefined>> {
    this.#release();
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.inbox.read(this);
    });
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#release();
    return Promise.resolve(ended);
  }

  take(value: Message, bytes: number): void {
    this.#bytes = bytes;
    this.#resolve({ value, done: false });
  }

  end(): void {
    this.#resolve(ended);
  }

  #release(): void {
    if (this.#bytes < 0) return;
    this.inbox.release(this.#bytes);
    this.#bytes = -1;
  }
}
