/** One item of a live stream, the same in every format. `id` is an opaque cursor that a client may come back with. */
export interface StreamEvent<T = unknown> {
  /** The cursor to come back with; without one, the reader comes back to the event before. */
  id?: string;
  /** What kind of event it is, where a stream has several. */
  event?: string;
  /** A string, or what JSON can hold. */
  data: T;
}

/** What `event: "gap"` carries: what was asked for, what comes next, and how many events between are lost (null: unknown). */
export interface Gap {
  /** The cursor that was asked for, at most 128 characters of it. */
  after: string;
  /** The id of the next event, or null when nothing is kept. */
  next: string | null;
  /** Events lost between the two, or null when that cannot be known. */
  lost: number | null;
}

/** How a stream can end in-band. */
export type EndReason = "complete" | "shutdown" | "error";

/** The names of the formats, as `?format=` takes them. */
export type Format = "text" | "ndjson" | "sse";

/** Turns events into one format. Pure; every function returns whole records. */
export interface Encoder {
  /** One event, as one whole record. */
  event(event: StreamEvent): string;
  /** The last record, or null where the format has none: then only a complete stream may end cleanly. */
  end(reason: EndReason): string | null;
}

/** A `gap` event; `after` comes from a client, so no more than 128 characters of it are echoed. */
export function gap(after: string, next: string | null, lost: number | null): StreamEvent<Gap> {
  return { event: "gap", data: { after: after.slice(0, 128), next, lost } };
}

function plain(event: StreamEvent): string {
  return typeof event.data === "string" ? event.data : JSON.stringify(event.data) ?? "null";
}

/** Plain text, an event a line. `line` is the handler's own wording; a gap is always told the same way. */
export function textEncoder(line: (event: StreamEvent) => string = plain): Encoder {
  return {
    event(event) {
      if (event.event !== "gap") return line(event) + "\n";
      const { after, next, lost } = event.data as Gap;
      return `# gap after=${JSON.stringify(after)} next=${JSON.stringify(next)} lost=${lost}\n`;
    },
    end: () => null,
  };
}

/** Newline-delimited JSON: `{"id":…,"event":…,"data":…}`, absent fields left out. */
export const ndjsonEncoder: Encoder = {
  event: ({ id, event, data }) => JSON.stringify({ id, event, data }) + "\n",
  end: (reason) => `{"event":"end","data":{"reason":"${reason}"}}\n`,
};

const breaks = /\r\n|\r|\n/;

function field(name: string, value: string): string {
  if (/[\r\n\0]/.test(value)) {
    throw new TypeError(
      `Cannot encode the event as its '${name}' holds a CR, LF or NUL: ${JSON.stringify(value)}`,
    );
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
export const sseEncoder: Encoder = {
  event({ id, event, data }) {
    let record = id === undefined ? "" : field("id", id);
    if (event !== undefined) record += field("event", event);
    if (typeof data !== "string") return `${record}data: ${JSON.stringify(data) ?? "null"}\n\n`;
    if (!breaks.test(data)) return `${record}data: ${data}\n\n`;
    for (const line of data.split(breaks)) record += `data: ${line}\n`;
    return record + "\n";
  },
  // Only a complete stream gives `id: end`, which stops a browser for good; after a shutdown it has to come back with
  // the last id it had.
  end(reason) {
    const id = reason === "complete" ? "id: end\n" : "";
    const retry = reason === "shutdown" ? "retry: 2000\n" : "";
    return `${id}event: end\n${retry}data: {"reason":"${reason}"}\n\n`;
  },
};
