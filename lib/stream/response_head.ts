import { wholeResponse } from "./json.ts";

/** Status and headers of a live response. */
export interface HeadOptions {
  /** 200 to 299, but for 204, 205 and 206, which have no body or a part of one. Default: 200. */
  status?: number;
  /**
   * More headers. Those of the connection and of the body's length and coding are refused, and so is a Cache-Control without
   * `no-store`.
   */
  headers?: HeadersInit;
  /**
   * A media type of the handler's own: nothing is negotiated, strings and bytes go as they are, and a failure cuts the body.
   */
  type?: string;
}

/** What a live body does not have, and what is the connection's (RFC 9110, 7.6.1). */
const refused = [
  ...["content-length", "content-encoding", "content-range", "transfer-encoding", "trailer"],
  ...["connection", "keep-alive", "upgrade"],
];

const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(;[\t -~]*)?$/;

/**
 * What makes the responses of a live stream: whole ones, which have reported their own bytes, from a string.
 *
 * @throws TypeError for options that would break a promise, which names the rule and the value
 */
export function responseHead(
  contentType: string,
  { status = 200, headers, type }: HeadOptions,
): (body: string | ReadableStream<Uint8Array<ArrayBuffer>>) => Response {
  const own = {
    "Content-Type": contentType,
    // A compressing proxy would hold events back (RFC 9111, 5.2.2.6).
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    // RFC 10036: what is between passes each part on as it comes.
    "Incremental": "?1",
    // Without it Chromium shows a text stream only after 1,024 bytes.
    "X-Content-Type-Options": "nosniff",
  };
  if (!Number.isInteger(status) || status < 200 || status > 299 || [204, 205, 206].includes(status)) {
    throw refusal("'status' must be from 200 to 299, but for 204, 205 and 206", status);
  }
  if (type !== undefined && !mediaType.test(type)) throw refusal("'type' must be a media type", type);
  const more = headers === undefined ? null : checked(new Headers(headers));
  return (body) => {
    const response = typeof body === "string"
      ? wholeResponse(body, status, own, 0)
      : new Response(body, { status, headers: own });
    more?.forEach((value, name) =>
      name === "set-cookie" ? response.headers.append(name, value) : response.headers.set(name, value)
    );
    return response;
  };
}

function checked(headers: Headers): Headers {
  for (const name of refused) {
    if (headers.has(name)) throw refusal(`'headers' must not have ${name}`, headers.get(name));
  }
  const type = headers.get("content-type");
  if (type !== null) throw refusal("'headers' must not have content-type, which is the option 'type'", type);
  const cache = headers.get("cache-control");
  if (cache === null) return headers;
  const directives = cache.toLowerCase().split(",").map((directive) => directive.trim());
  if (!directives.includes("no-store")) throw refusal("'headers' must have no-store in cache-control", cache);
  if (!directives.includes("no-transform")) headers.append("cache-control", "no-transform");
  return headers;
}

function refusal(rule: string, value: unknown): TypeError {
  return new TypeError(`Cannot stream as ${rule}: current value is ${Deno.inspect(value)}`);
}
