import { OpensBusy } from "../opens.ts";
import { HttpError } from "../stream/errors.ts";

/** Throws what a client is answered: 503 for logs that cannot be opened for now. */
export function asBusy(error: unknown): never {
  if (!(error instanceof OpensBusy)) throw error;
  throw new HttpError(503, "too many logs are being opened", { headers: { "Retry-After": "1" } });
}

/** Null for what is refused with one of these statuses: 404 is a log that is not there. */
export function unless(...statuses: number[]): (error: unknown) => null {
  return (error) => {
    if (error instanceof HttpError && statuses.includes(error.status)) return null;
    throw error;
  };
}
