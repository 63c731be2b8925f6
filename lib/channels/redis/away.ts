import { HttpError } from "../../stream/errors.ts";
import { RedisAway } from "./link.ts";

/** Seconds after which a client may try again. */
const retryAfter = "2";

/**
 * The 503 for what Redis could not be asked, or has refused: `published`, in its body, is false when nothing was, and null when
 * that is not known.
 */
export function unavailable(error: unknown, published?: boolean | null): HttpError {
  if (error instanceof HttpError) return error;
  const isAway = error instanceof RedisAway;
  return new HttpError(503, `the store of channels ${isAway ? "is away" : "refuses this"}`, {
    cause: error,
    headers: { "Retry-After": retryAfter },
    details: published === undefined ? {} : { published },
  });
}
