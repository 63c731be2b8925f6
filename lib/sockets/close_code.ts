import { HttpError, type Report } from "../stream/errors.ts";

/** The code and the reason of a close (RFC 6455, 7.4.1). */
export interface Close {
  code: number;
  reason: string;
}

/** Bytes of a reason: a control frame has 125 with the code (RFC 6455, 5.5). */
const reasonBytes = 123;
const encoder = new TextEncoder();

/**
 * A close that can be sent: its reason is cut to what fits.
 *
 * @throws RangeError for a code that may not be sent (RFC 6455, 7.4.1 and 7.4.2)
 */
export function closeWith(code: number, reason: string): Close {
  const isStandard = code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
  if (!Number.isInteger(code) || !isStandard && !(code >= 3000 && code <= 4999)) {
    throw new RangeError(
      `Cannot close the socket as 'code' must be 1000 to 1003, 1007 to 1014 or 3000 to 4999: current value is ${code}`,
    );
  }
  // Most are shorter than a third of it, which no character can make too long.
  if (reason.length * 3 <= reasonBytes) return { code, reason };
  return { code, reason: reason.slice(0, encoder.encodeInto(reason, new Uint8Array(reasonBytes)).read) };
}

/** Whether an error may be told to the peer, with its message. */
export function isPublic(error: unknown): error is HttpError {
  return error instanceof HttpError && (error.status < 500 || error.status === 503);
}

/** The close for what a socket's function has thrown. */
export function closeOf(error: unknown, report: Report): Close {
  if (isPublic(error)) return closeWith(error.status === 503 ? 1013 : 1008, error.message);
  report("a socket failed", error);
  return { code: 1011, reason: "internal error" };
}
