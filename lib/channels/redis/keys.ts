/** What the keys of Weir in Redis begin with. */
export const prefix = "weir:";

/** Key of the set of channels' names. */
export const namesKey: string = `${prefix}channels`;

/** The keys of one channel. */
export interface ChannelKeys {
  /** The channel's name. */
  readonly name: string;
  /** Its events, a stream. */
  readonly stream: string;
  /** Which run of Redis its epoch belongs to, a hash. */
  readonly run: string;
}

/** The keys of the channel of a name. */
export function keysOf(name: string): ChannelKeys {
  const stream = `${prefix}channel:${name}`;
  return { name, stream, run: `${stream}:run` };
}
