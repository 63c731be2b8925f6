import { wholeResponse } from "../stream/json.ts";

/** The headers of every page: its code, its style and its data are the server's own, and no other page frames it. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "Content-Type": "text/html; charset=utf-8",
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
};

/**
 * A page; `body` is what is in it, as HTML. Its style is `/dashboard/style.css`. Its forms send their Origin, which `no-referrer` would make
 * `null`: beyond loopback that is all that plain HTTP says of where a POST comes from.
 */
export function page(
  title: string,
  body: string,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  const html = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<title>${title}</title>
<link rel="stylesheet" href="/dashboard/style.css">
<h1>${title}</h1>
${body}
</html>
`;
  return wholeResponse(html, status, { ...pageHeaders, ...headers });
}
