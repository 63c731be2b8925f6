import { type Gap, gap, type StreamEvent } from "../stream/event.ts";
import { tagOf } from "../stream/tag.ts";

/** Second part of a cursor: random, so that a cursor of an earlier epoch is never taken for one of this. */
export function newEpoch(): string {
  return crypto.randomUUID().slice(-12);
}

/** The retained events of a channel or a run, numbered from 1. The cursor of an event is `TAG-EPOCH-NUMBER`. */
export class ChannelHistory<T> {
  readonly #events = new Map<number, { data: T; bytes: number; event: string | undefined }>();
  /** Number of the last event; 0 when there has been none. */
  last = 0;
  /** Bytes of the events retained. */
  bytes = 0;

  /** What each cursor begins with. */
  readonly #prefix: string;

  constructor(name: string, readonly epoch: string = newEpoch()) {
    this.#prefix = `${tagOf(name)}-${epoch}-`;
  }

  /** Events retained. */
  get length(): number {
    return this.#events.size;
  }

  /** Number of the oldest event retained; one more than `last` when none is. */
  get oldest(): number {
    return this.last - this.#events.size + 1;
  }

  /** Cursor of an event: without a number of the last, or of the start when there has been none. */
  id(number: number = this.last): string {
    return this.#prefix + number;
  }

  /** The data of an event, if it is retained. */
  at(number: number): T | undefined {
    return this.#events.get(number)?.data;
  }

  /** An event that is retained. */
  event(number: number): StreamEvent<T> {
    const { data, event } = this.#events.get(number)!;
    return { id: this.id(number), event, data };
  }

  /** Adds the next event; `event` is its kind. */
  add(data: T, bytes = 0, event?: string): void {
    this.#events.set(++this.last, { data, bytes, event });
    this.bytes += bytes;
  }

  /** Drops the oldest event, and returns it. */
  evict(): T {
    const number = this.oldest;
    const { data, bytes } = this.#events.get(number)!;
    this.#events.delete(number);
    this.bytes -= bytes;
    return data;
  }

  /** Number of the event that follows a cursor; 0 when the cursor cannot be followed exactly. */
  after(cursor: string | undefined): number {
    if (cursor === undefined) return this.last + 1;
    if (cursor === "0") return this.oldest;
    const number = cursor.startsWith(this.#prefix) ? cursor.slice(this.#prefix.length) : "";
    return /^\d{1,15}$/.test(number) && Number(number) <= this.last ? Number(number) + 1 : 0;
  }

  /** The gap between event `next` and the oldest retained, or null; `cursor` is the one that gave a `next` of 0. */
  gap(next: number, cursor = ""): StreamEvent<Gap> | null {
    const { oldest } = this;
    if (next >= oldest) return null;
    const [after, lost] = next === 0 ? [cursor, null] : [this.id(next - 1), oldest - next];
    // With nothing to go on with, the gap itself has the cursor to come back with.
    return this.length > 0 ? gap(after, this.id(oldest), lost) : { ...gap(after, null, lost), id: this.id() };
  }
}
