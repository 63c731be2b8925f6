import { type Gap, JsonText, type StreamEvent } from "../event.ts";
import type { Format } from "./format.ts";
import { jsonOf } from "./json_data.ts";

/** The text of an event, without what separates it from the next. */
export type Wording = (event: StreamEvent) => string;

const asItIs: Wording = ({ data }) => {
  if (typeof data === "string") return data;
  return data instanceof JsonText ? data.text ?? data.json : jsonOf(data, data);
};

/** The event with its data as a value. */
function unpacked(event: StreamEvent): StreamEvent {
  return event.data instanceof JsonText ? { ...event, data: JSON.parse(event.data.json) } : event;
}

function format(line: Wording, separator: string, ownType: boolean): Format<"text"> {
  const worded: Wording = line === asItIs ? line : (event) => line(unpacked(event));
  // It begins a line also where the separator has not ended one.
  const lineStart = separator.endsWith("\n") ? "" : "\n";
  const note = (name: string, fields: object) => {
    const words = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
    return `${lineStart}# ${name}${words.join("")}\n`;
  };
  return {
    name: "text",
    mediaTypes: ["text/plain; charset=utf-8"],
    plain: line === asItIs && separator === "\n",
    note: ownType ? undefined : note,
    ping: () => "",
    start: () => "",
    event(event) {
      if (event.event !== "gap" || ownType && line !== asItIs) return worded(event) + separator;
      if (ownType) {
        throw new TypeError("Cannot send a gap with a 'type' of the handler's own, unless 'line' words it");
      }
      const { after, next, lost } = unpacked(event).data as Gap;
      return note("gap", { after, next, lost });
    },
    end: () => null,
  };
}

/** Plain text, an event a line: a string as it is, anything else as JSON. A gap is always worded the same way. */
export const text: Format<"text"> = format(asItIs, "\n", false);

// One format a wording, for blocks that are encoded once for many readers are cached by format.
const known = new WeakMap<Wording, Record<string, Format<"text">>>();

/**
 * {@linkcode text} with a handler's own wording and separator; with a media type of its own, in which `line` has to word gaps
 * as well.
 */
export function textFormat(line: Wording = asItIs, separator = "\n", ownType = false): Format<"text"> {
  if (line === asItIs && separator === "\n" && !ownType) return text;
  // Others may be made for each response, such as a boundary.
  if (separator !== "" && separator !== "\n") return format(line, separator, ownType);
  let formats = known.get(line);
  if (formats === undefined) known.set(line, formats = {});
  return formats[`${separator}${ownType}`] ??= format(line, separator, ownType);
}
