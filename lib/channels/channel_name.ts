import { checkName } from "../http/params.ts";
import { HttpError } from "../stream/errors.ts";

/** Readings have a stream of their own. */
export const reserved = "sensors";

/**
 * A channel's name where the reserved one has no stream of its own to lead to.
 *
 * @throws HttpError 400, or 409 for the reserved one
 */
export function publicChannel(name: string): string {
  if (name !== reserved) return checkName("a channel's", name);
  throw new HttpError(409, `the name ${reserved} is reserved: readings are at /sensors/stream`);
}
