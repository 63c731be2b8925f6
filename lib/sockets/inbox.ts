/** Messages of one socket that are held at once, and their bytes: there is no back-pressure on what a peer sends. */
const maxMessages = 1_000;
const maxBytes = 4_194_304;

const ended: IteratorReturnResult<undefined> = { value: undefined, done: true };

/** The messages that a peer has sent, each for one of those who iterate over them. It is held until the next is asked for. */
export class Inbox<Message> implements AsyncIterable<Message> {
  readonly #queue: { message: Message; bytes: number }[] = [];
  /** The loops that wait for a message. */
  readonly #readers: Reader<Message>[] = [];
  #held = 0;
  #bytes = 0;
  #ended = false;

  /** Takes a message that has come; false when too much is held already. */
  add(message: Message, bytes: number): boolean {
    if (this.#held >= maxMessages || this.#bytes + bytes > maxBytes) return false;
    this.#held++;
    this.#bytes += bytes;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#queue.push({ message, bytes });
    else reader.take(message, bytes);
    return true;
  }

  /** No more messages come; those that wait can be read, unless they are dropped. */
  end(drop: boolean): void {
    this.#ended = true;
    if (drop) this.#queue.length = 0;
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
