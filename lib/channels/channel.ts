import type { Format, StreamEvent } from "../encoders.ts";

/** A value as a channel keeps it: JSON text, so that what was posted reaches every reader digit for digit. */
export interface Value {
  /** The value as JSON, on one line. */
  json: string;
  /** The value itself, when it is a string. */
  text: string | null;
  /** What {@linkcode Subscription.tags} selects by. */
  tag?: string;
}

/** What a subscriber asks for. */
export interface Subscription {
  /**
   * The cursor to go on after: an event's id, or "0" for the oldest event that is kept. Undefined means whatever comes
   * from now on. One that cannot be followed exactly is answered by a `gap` event, then the oldest kept.
   */
  after: string | undefined;
  /** The format of the blocks. */
  format: Format;
  /** Ends the subscription. */
  signal: AbortSignal;
  /** Only values with one of these tags. Gaps then have no count: how many of the lost ones had a tag is not kept. */
  tags?: ReadonlySet<string>;
}

/**
 * Named channels: one publisher's values reach every subscriber once, in order, or a `gap` event tells what is missing.
 * A store may keep them in memory ({@linkcode MemoryStore}) or in a broker; handlers know this interface alone.
 */
export interface ChannelStore {
  /**
   * Adds values in order, all of them or none; gives the last one's id. The first publisher makes the channel.
   *
   * @throws HttpError 413 for a value that the history could not hold, 503 when there are too many channels
   */
  publish(name: string, values: readonly Value[]): string | Promise<string>;
  /**
   * The channel's events, as blocks of whole records in the wanted format, and `gap` events. The first subscriber makes
   * the channel.
   *
   * @throws HttpError 503 when there are too many channels
   */
  subscribe(name: string, subscription: Subscription): AsyncIterable<Uint8Array | StreamEvent>;
  /** Forgets everything and drops what is under way. */
  close(): void | Promise<void>;
}
