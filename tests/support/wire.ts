import type { Handler, Route } from "../../lib/handler.ts";

/** A route of a test's own. */
export function route(path: string, handler: Handler, method: Route["method"] = "GET"): Route {
  return { method, path: path as Route["path"], handler, description: "" };
}

/** Sends a request as it is written here, with LF for CRLF; what comes back is the caller's to read or to leave. */
export async function send(port: number, request: string): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(request.replaceAll("\n", "\r\n")));
  return conn;
}

/** Sends a request as it is written here and gives all that comes back until the server closes. */
export async function exchange(port: number, request: string): Promise<string> {
  using conn = await send(port, request);
  return await new Response(conn.readable).text();
}

/** A request whose body is read piece by piece. */
export interface Reading {
  response: Response;
  /** Reads until the text has come; gives all that has been read. */
  until(text: string): Promise<string>;
  /** Reads to the end; rejects when the body breaks off. */
  rest(): Promise<string>;
  /** Leaves, as a client that closes its connection. */
  leave(): void;
}

/** Opens a stream as a client does. */
export async function open(
  url: string,
  headers: Record<string, string> = {},
  client?: Deno.HttpClient,
): Promise<Reading> {
  const controller = new AbortController();
  const response = await fetch(url, { headers, client, signal: controller.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let all = "";
  const more = async () => {
    const { value, done } = await reader.read();
    if (!done) all += value;
    return !done;
  };
  return {
    response,
    async until(text) {
      while (!all.includes(text)) {
        if (!await more()) throw new Error(`the body ended without ${JSON.stringify(text)}: ${all}`);
      }
      return all;
    },
    async rest() {
      while (await more());
      return all;
    },
    leave() {
      reader.read().catch(() => {});
      controller.abort();
    },
  };
}
