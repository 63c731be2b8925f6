import { JsonText } from "../event.ts";
import type { Format } from "./format.ts";
import { jsonOf } from "./json_data.ts";

/** Legal in JSON, but line ends to readers such as Python's `str.splitlines`: they stand in strings alone, so as escapes. */
const separators = /[\u0085\u2028\u2029]/g;

function escaped(record: string): string {
  // Three searches for a character take a fraction of one for a class of them, and hardly any record has one.
  if (!record.includes("\u0085") && !record.includes("\u2028") && !record.includes("\u2029")) return record;
  return record.replace(separators, (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** Newline-delimited JSON: `{"id":…,"event":…,"data":…}`, absent fields left out. */
export const ndjson: Format<"ndjson"> = {
  name: "ndjson",
  mediaTypes: ["application/x-ndjson", "application/jsonl"],
  plain: false,
  ping: (id) => JSON.stringify({ id, event: "ping", data: null }) + "\n",
  start: () => "",
  event({ id, event, data }, plainId = false) {
    if (plainId && event === undefined) {
      if (typeof data === "string") return `{"id":"${id}","data":${escaped(JSON.stringify(data))}}\n`;
      if (data instanceof JsonText) return `{"id":"${id}","data":${escaped(data.json)}}\n`;
    }
    if (!(data instanceof JsonText)) return escaped(jsonOf({ id, event, data }, data)) + "\n";
    return escaped(JSON.stringify({ id, event, data: 0 }).slice(0, -2) + data.json) + "}\n";
  },
  end: (reason) => `{"event":"end","data":{"reason":"${reason}"}}\n`,
};
