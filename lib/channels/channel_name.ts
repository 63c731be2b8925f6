import { HttpError, quote } from "../stream/errors.ts";

/**
 * A channel's name, checked.
 *
 * @throws HttpError 400
 */
export function channelName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name;
  throw new HttpError(
    400,
    "a channel's name must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit: " +
      `current value is ${quote(name)}`,
  );
}

/** Readings have a stream of their own. */
export const reserved = "sensors";

/**
 * A channel's name where the reserved one has no stream of its own to lead to.
 *
 * @throws HttpError 400, or 409 for the reserved one
 */
export function publicChannel(name: string): string {
  if (name !== reserved) return channelName(name);
  throw new HttpError(409, `the name ${reserved} is reserved: readings are at /sensors/stream`);
}
