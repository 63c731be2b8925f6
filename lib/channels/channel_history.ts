import { JsonText } from "../stream/event.ts";

/** A retained event. */
export interface Retained {
  /** Its data. */
  data: JsonText;
  /** Bytes of its JSON. */
  bytes: number;
  /** What a filtered reader selects by. */
  tag: string | undefined;
}

/** Bytes of memory that an event takes beside its JSON, about. */
const overhead = 128;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The retained events of a channel, numbered from 1. */
export class ChannelHistory {
  #events: (Retained | null)[] = [];
  /** Where in `#events` the history starts: the slots before it are evicted. */
  #head = 0;
  #oldest = 1;
  #bytes = 0;

  /** Events retained. */
  get length(): number {
    return this.#events.length - this.#head;
  }

  /** Number of the oldest event retained; one more than `last` when none is. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Number of the last event; 0 when there has been none. */
  get last(): number {
    return this.#oldest + this.length - 1;
  }

  /** Bytes of JSON retained. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of memory it takes. */
  get size(): number {
    return this.#bytes + this.length * overhead;
  }

  /** The retained event of a number. */
  at(number: number): Retained {
    return this.#events[this.#head + number - this.#oldest]!;
  }

  /** Adds the next event; `json` is UTF-8. */
  add(json: Uint8Array, text: string | null, tag?: string): void {
    // Decoded, because a slice of a posted body would keep all of that body.
    this.#events.push({ data: new JsonText(decoder.decode(json), text), bytes: json.length, tag });
    this.#bytes += json.length;
  }

  /** Drops the oldest event, and returns it. */
  evict(): Retained {
    const event = this.#events[this.#head]!;
    this.#events[this.#head++] = null;
    this.#bytes -= event.bytes;
    this.#oldest++;
    if (this.#head >= 1_024 && this.#head * 2 >= this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }
}
