import type { JsonText } from "../stream/event.ts";
import type { StreamItem, Wanted } from "../stream/source.ts";

/**
 * Named channels: one publisher's values reach every subscriber once, in order, or a `gap` event reports the missing ones.
 * A store may keep them in memory or in a broker; handlers know this interface alone.
 */
export interface ChannelStore {
  /**
   * Adds values in order, all of them or none; gives the last one's id. The first publisher makes the channel.
   *
   * @throws HttpError 413 for values that the history could not hold, 503 when there are too many channels
   */
  publish(name: string, values: readonly JsonText[]): string | Promise<string>;
  /**
   * The channel's events from now on, or after a cursor ("0" is before the oldest retained): blocks of whole records in
   * the wanted format, and `gap` events. The first subscriber makes the channel.
   *
   * @throws HttpError 503 when there are too many channels
   */
  subscribe(name: string, wanted: Wanted): AsyncIterable<StreamItem>;
  /** Forgets everything and stops the work under way. */
  close(): void | Promise<void>;
}
