/** One item of a live stream, the same in every format. */
export interface StreamEvent<T = unknown> {
  /** Opaque cursor that a client comes back with; without one it comes back to the last event that had one. */
  id?: string;
  /** Kind of event, where a stream has several. */
  event?: string;
  /** A string, or a value that JSON can hold. */
  data: T;
}

/** Whether a yielded value is an event by itself: a plain object with `data`, and no keys but `id`, `event` and `data`. */
function isEvent(value: unknown): value is StreamEvent {
  if (typeof value !== "object" || value === null || !("data" in value)) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) if (key !== "data" && key !== "id" && key !== "event") return false;
  return true;
}

/**
 * The event that a yielded value is, or else is the data of. An `id` or `event` that is a number becomes a string.
 *
 * @throws TypeError for an `id` or `event` of another type, or `end`, which no reader could tell from the stream's own
 */
export function eventOf(value: unknown): StreamEvent {
  if (!isEvent(value)) return { data: value };
  const { id, event, data } = value;
  if (id === "end" || event === "end") {
    throw new TypeError(
      "Cannot send the event as 'end', as an id or an event, says that the stream is complete",
    );
  }
  if ((id === undefined || typeof id === "string") && (event === undefined || typeof event === "string")) {
    return value;
  }
  return { id: word("id", id), event: word("event", event), data };
}

function word(name: string, value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  if (value === undefined || typeof value === "string") return value;
  const rule = `Cannot send the event as its '${name}' must be a string or a number`;
  throw new TypeError(`${rule}: current value is ${Deno.inspect(value)}`);
}

/** Data of a `gap` event: events may be missing here. */
export interface Gap {
  /** The cursor that could not be followed exactly, at most 128 characters of it. */
  after: string;
  /** The id of the next event, or null when none is retained. */
  next: string | null;
  /** Events lost between the two, or null when that is unknown. */
  lost: number | null;
}

/** A `gap` event; `after` comes from a client, so no more than 128 characters of it are echoed. */
export function gap(after: string, next: string | null, lost: number | null): StreamEvent<Gap> {
  return { event: "gap", data: { after: after.slice(0, 128), next, lost } };
}

/** Data that arrived as JSON text and leaves as it was written: a number beyond 2^53 keeps its digits. */
export class JsonText {
  /** `json` is on one line. */
  constructor(readonly json: string) {}

  /** The value itself when that is a string, else null; not retained, as that would take the memory twice. */
  get text(): string | null {
    return this.json.startsWith('"') ? JSON.parse(this.json) : null;
  }
}

/** An item that moves the cursor without an event; see {@linkcode cursorAt}. */
export class CursorAt {
  /** A cursor that the client comes back with. */
  constructor(readonly id: string) {}
}

/** Moves the cursor without an event: at the start, or past what a filter leaves out. Only server-sent events have a record for it. */
export function cursorAt(id: string): CursorAt {
  return new CursorAt(id);
}

/** Whole records that are already in the stream's format; every stream that reads them shares the bytes. */
export class Encoded {
  /**
   * `lastId` is the cursor after the records. Without bytes it only says where the stream has begun, so that the headers need
   * not wait for an event. `events` is the number of events among them. Default: one, or without bytes none.
   */
  constructor(
    readonly bytes: Uint8Array<ArrayBuffer>,
    readonly lastId?: string,
    readonly events: number = bytes.length === 0 ? 0 : 1,
  ) {}
}
