const encoder = new TextEncoder();

/** Bytes of a body that was made whole. */
const bodyBytes = Symbol("bodyBytes");
type Measured = Response & { [bodyBytes]?: number };

/**
 * A response with a body that is whole. Headers that are set one by one cost the runtime a sixth less than an init of
 * several, and a string less than its bytes. `bytes` are those of the body.
 */
export function wholeResponse(
  body: string,
  status: number,
  headers: Record<string, string>,
  bytes: number = byteLength(body),
): Response {
  const response = new Response(body, status === 200 ? undefined : { status });
  const target = response.headers;
  for (const name in headers) target.set(name, headers[name]);
  return whole(response, bytes);
}

/** Says that a response's body is whole, and has this many bytes. */
export function whole(response: Response, bytes: number): Response {
  (response as Measured)[bodyBytes] = bytes;
  return response;
}

/** Bytes of text as UTF-8. */
export function byteLength(text: string): number {
  return /[^\0-\x7f]/.test(text) ? encoder.encode(text).length : text.length;
}

/** Bytes of the body of a {@linkcode whole} response; undefined for another. */
export function wholeBytes(response: Measured): number | undefined {
  return response[bodyBytes];
}

/** A short answer as JSON. */
export function json(
  value: unknown,
  { status = 200, headers }: { status?: number; headers?: Record<string, string> } = {},
): Response {
  const body = JSON.stringify(value) + "\n";
  return wholeResponse(body, status, { "Content-Type": "application/json", ...headers });
}
