import { ndjson } from "./ndjson.ts";
import { sse } from "./sse.ts";
import { text } from "./text.ts";

/** Every format that a stream can be asked for. */
export const formats: readonly [typeof text, typeof ndjson, typeof sse] = [text, ndjson, sse];

/** The names that `?format=` takes. */
export type FormatName = typeof formats[number]["name"];
