import type { CursorAt, Encoded, StreamEvent } from "./event.ts";
import type { Format } from "./formats/format.ts";

/** What a source is started with. */
export interface Wanted {
  /**
   * The cursor to go on after, exactly: `Last-Event-ID`, else `?after=`; undefined for a first visit. One that cannot be
   * followed is answered by a `gap` event; so is one that the source has not looked at when its first value comes.
   */
  readonly after?: string;
  /** The negotiated format, for a source that yields blocks of records in it. */
  readonly format: Format;
  /** Aborts when no more values are wanted: the client has gone, or the server is draining. Goes to every await. */
  readonly signal: AbortSignal;
}

/** What a stream makes of the values that its source yields. */
export type StreamItem = StreamEvent | CursorAt | Encoded;

/**
 * Makes the values of a stream; called once the request is known to be good. A plain object with `data` and no keys but
 * `id`, `event` and `data` is an event ({@linkcode StreamEvent}); anything else, strings and numbers too, is the data of
 * one. Bytes (`Uint8Array`) go as they are in text, and fail in formats that are JSON.
 */
export type Source = (wanted: Wanted) => AsyncIterable<unknown>;

/** What a source makes, or else something that fails as it did. */
export function iterable<W extends Wanted>(
  source: (wanted: W) => AsyncIterable<unknown>,
  wanted: W,
): AsyncIterable<unknown> {
  try {
    const made = source(wanted);
    if (typeof made?.[Symbol.asyncIterator] === "function") return made;
    const rule = "Cannot stream as the source must return an async iterable";
    throw new TypeError(`${rule}: current value is ${Deno.inspect(made)}`);
  } catch (error) {
    return { [Symbol.asyncIterator]: () => failing(error) };
  }
}

/** The iterator, or else one that fails as getting it did: a ReadableStream may be locked. */
export function iteratorOf(source: AsyncIterable<unknown>): AsyncIterator<unknown> {
  try {
    const iterator = source[Symbol.asyncIterator]();
    if (typeof iterator?.next === "function") return iterator;
    throw new TypeError(
      `Cannot stream as the source's iterator must have next(): current value is ${Deno.inspect(iterator)}`,
    );
  } catch (error) {
    return failing(error);
  }
}

function failing(error: unknown): AsyncIterator<unknown> {
  return { next: () => Promise.reject(error) };
}

/**
 * A source that can be asked without a promise, for what many streams read at once. What `poll` throws is a
 * failure, or how the stream ends: a `StreamEnd`.
 */
export interface Feed<Item = StreamItem> {
  /** The next item; null when there is none now: then `ready` is called when there may be one. */
  poll(ready: () => void): Item | null;
}
