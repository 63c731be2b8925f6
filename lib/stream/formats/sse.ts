import { JsonText } from "../event.ts";
import type { EndReason, Format } from "./format.ts";
import { jsonOf } from "./json_data.ts";

/** The endings that nothing follows. */
const final: ReadonlySet<EndReason> = new Set(["complete", "cancelled", "lost"] as const);

const breaks = /\r\n|\r|\n/;

function field(name: string, value: string): string {
  if (/[\r\n\0]/.test(value)) {
    const why = `its '${name}' holds a CR, LF or NUL`;
    throw new TypeError(`Cannot encode the event as ${why}: ${JSON.stringify(value)}`);
  }
  return `${name}: ${value}\n`;
}

/**
 * Server-sent events, as the HTML standard's "Parsing an event stream" reads them (9.2.5): one `data:` line for each line
 * of the data, whichever of CR, LF and CRLF ends it. An `id` with a NUL would be ignored by a browser and one with a line
 * end would forge a field, so both throw a TypeError.
 *
 * `@std/http`'s ServerSentEventStream takes one object a chunk and gives one Uint8Array each: 100,000 small events cost
 * about ten times what this does (`deno task bench`, row "sse").
 */
export const sse: Format<"sse"> = {
  name: "sse",
  mediaTypes: ["text/event-stream"],
  plain: false,
  // Without an empty line there is no event, which some clients would count though it has no data.
  ping: (cursor, moved) => ": ping\n" + (cursor !== undefined && moved ? sse.start(cursor) : ""),
  // A record without data sets a browser's last id and dispatches nothing (HTML, 9.2.6). The empty line ends in CRLF: the
  // same to every parser, while a client that counts pairs of LF does not count an event.
  start: (cursor) => `id: ${cursor}\n\r\n`,
  event({ id, event, data }, plainId = false) {
    let record = plainId ? `id: ${id}\n` : id === undefined ? "" : field("id", id);
    if (event !== undefined) record += field("event", event);
    if (data instanceof JsonText) data = data.text ?? data.json;
    else if (typeof data !== "string") return `${record}data: ${jsonOf(data, data)}\n\n`;
    const lines = data as string;
    if (!breaks.test(lines)) return `${record}data: ${lines}\n\n`;
    for (const line of lines.split(breaks)) record += `data: ${line}\n`;
    return record + "\n";
  },
  // `id: end` stops a browser for good. After a shutdown or a failure it has to come back with the last id it had; so it
  // does where it is no longer allowed, and is stopped by the 401.
  end(reason) {
    const id = final.has(reason) ? "id: end\n" : "";
    // 1 to 5 s, so that not all come back at once.
    const retry = reason === "shutdown" ? `retry: ${1_000 + Math.floor(Math.random() * 4_001)}\n` : "";
    return `${id}event: end\n${retry}data: {"reason":"${reason}"}\n\n`;
  },
};
