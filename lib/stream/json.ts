const encoder = new TextEncoder();

/** A short answer as JSON. It says its length, which the access log tells as well. */
export function json(
  value: unknown,
  { status = 200, headers }: { status?: number; headers?: Record<string, string> } = {},
): Response {
  const body = encoder.encode(JSON.stringify(value) + "\n");
  return new Response(body, {
    status,
    headers: { "Content-Type": "application/json", "Content-Length": String(body.length), ...headers },
  });
}
