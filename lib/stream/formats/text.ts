import { type Gap, JsonText, type StreamEvent } from "../event.ts";
import type { Format } from "./format.ts";
import { jsonOf } from "./json_data.ts";

/** The text of an event, without its line end. */
export type Wording = (event: StreamEvent) => string;

function format(line: Wording, plain: boolean): Format<"text"> {
  return {
    name: "text",
    mediaTypes: ["text/plain; charset=utf-8"],
    plain,
    ping: () => "",
    start: () => "",
    event(event) {
      if (event.event !== "gap") return line(event) + "\n";
      const { after, next, lost } = event.data as Gap;
      return `# gap after=${JSON.stringify(after)} next=${JSON.stringify(next)} lost=${lost}\n`;
    },
    end: () => null,
  };
}

/** Plain text, an event a line: a string as it is, anything else as JSON. A gap is always worded the same way. */
export const text: Format<"text"> = format(({ data }) => {
  if (typeof data === "string") return data;
  return data instanceof JsonText ? data.text ?? data.json : jsonOf(data, data);
}, true);

// One format a wording, for blocks that are encoded once for many readers are cached by format.
const worded = new WeakMap<Wording, Format>();

/** {@linkcode text} with a handler's own wording. */
export function textFormat(line: Wording): Format {
  let known = worded.get(line);
  if (known === undefined) {
    const parsed: Wording = (event) =>
      line(event.data instanceof JsonText ? { ...event, data: JSON.parse(event.data.json) } : event);
    worded.set(line, known = format(parsed, false));
  }
  return known;
}
