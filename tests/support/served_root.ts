import { type FileOptions, fileResponse } from "../../lib/files/file_response.ts";
import { find } from "../../lib/files/root.ts";
import { Opens } from "../../lib/opens.ts";
import { HttpError } from "../../lib/stream/errors.ts";
import { exchange } from "../../lib/stream/exchange.ts";
import { Limiter } from "../../lib/stream/limiter.ts";
import { makeRoot } from "./files.ts";

/** A root with these files, and requests for them without a server. */
export async function serveRoot(
  contents: Record<string, string | Uint8Array>,
  given: Partial<FileOptions> = {},
) {
  const made = await makeRoot(contents);
  const { root } = made;
  const parts = { downloads: new Limiter(9), opens: new Opens(), how: "inline" as const, ...given };
  const answer = (name: string, init: RequestInit = {}, found = find(root, name.split("/"))) =>
    found.then((found) =>
      fileResponse(exchange(new Request("http://localhost/", init)), { ...parts, found })
    );
  /** Status, headers and body; an error has no body. */
  const ask = async (name: string, headers: HeadersInit = {}, method = "GET") => {
    try {
      const response = await answer(name, { headers, method });
      return { status: response.status, headers: response.headers, bytes: await response.bytes() };
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      const { status, options: { headers } } = error;
      return { status, headers: new Headers(headers), bytes: new Uint8Array() };
    }
  };
  return { ...made, ...parts, answer, ask };
}
