import type { JsonText } from "../stream/event.ts";
import type { StreamItem, Wanted } from "../stream/source.ts";

/** A channel, as {@linkcode ChannelStore.list} gives it. */
export interface ChannelInfo {
  /** Its name. */
  name: string;
  /** Events retained. */
  events: number;
  /** Cursor of its last event; null when there has been none. */
  last: string | null;
  /** Subscribers now; null where the store cannot know of all. */
  readers: number | null;
}

/**
 * Named channels: every subscriber gets a channel's events once and in order, or a `gap` event that reports the missing
 * ones. A store may keep them in memory or in a broker; the rest of the server knows this interface alone, and
 * `tests/support/channel_store_contract.ts` tests any store.
 */
export interface ChannelStore {
  /**
   * Adds values in order, all of them or none; returns the last one's id, an opaque cursor. The first publisher makes the
   * channel. With a `key` that the channel has had in the last five minutes nothing is added, and the id is the one that
   * it got then; of more than 10,000 in that time, the first may be forgotten.
   *
   * @throws HttpError 422 for a key that came with other values, 413 for more values or bytes than the history holds, 503 over the limit of channels or while the
   * store cannot be used: its details then have `published`, false when nothing was, and null when that is not known
   */
  publish(name: string, values: readonly JsonText[], key?: string): string | Promise<string>;
  /**
   * The channel's events from now on, or after a cursor ("0" is before the oldest retained): blocks of whole records in
   * the wanted format, and `gap` events. The first subscriber makes the channel.
   *
   * The first item comes as soon as the subscriber takes part: the format's start record when there is no cursor, and an
   * empty block where there is nothing to say yet. An abort of the signal, or `return()`, ends the iteration.
   *
   * @throws HttpError 503 over the limit of channels, from the first `next()`
   */
  subscribe(name: string, wanted: Wanted): AsyncIterable<StreamItem>;
  /** The channels, sorted by name. */
  list(): ChannelInfo[] | Promise<ChannelInfo[]>;
  /** Why it cannot be used now; null while it can. */
  readonly fault: string | null;
  /** Stops the work under way; subscriptions end by their signals. */
  close(): void | Promise<void>;
}
