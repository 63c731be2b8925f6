import { JsonText } from "../event.ts";
import type { Format } from "./format.ts";

/** Newline-delimited JSON: `{"id":…,"event":…,"data":…}`, absent fields left out. */
export const ndjson: Format<"ndjson"> = {
  name: "ndjson",
  mediaTypes: ["application/x-ndjson", "application/jsonl"],
  ping: "",
  plain: false,
  start: () => "",
  event({ id, event, data }, plainId = false) {
    if (plainId && typeof data === "string") return `{"id":"${id}","data":${JSON.stringify(data)}}\n`;
    if (!(data instanceof JsonText)) return JSON.stringify({ id, event, data }) + "\n";
    return JSON.stringify({ id, event, data: 0 }).slice(0, -2) + data.json + "}\n";
  },
  end: (reason) => `{"event":"end","data":{"reason":"${reason}"}}\n`,
};
