/** Of this process, so that ids of several do not clash. */
const prefix = crypto.randomUUID().slice(0, 8);
let drawn = 0;

/** The id of a request: its `X-Request-Id`, if that is short and plain, or the next of this process. */
export function requestId(headers: Headers): string {
  const given = headers.get("x-request-id");
  if (given !== null && /^[A-Za-z0-9._-]{1,64}$/.test(given)) return given;
  return `${prefix}-${(++drawn).toString(36)}`;
}
