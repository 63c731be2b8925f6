import type { Report } from "./stream/errors.ts";
import { type Printer, stderr } from "./stream/printer.ts";

/** How diagnostics are written: a line of text, or of JSON. */
export const logFormats = ["text", "json"] as const;
/** One of them. */
export type LogFormat = typeof logFormats[number];

/**
 * Reports as lines, each with its time, its level and the id of its request: `error` where something has failed, with what it
 * failed of, an error or its message, else `warning`. A stack is on the same line, so that what collects the lines takes one
 * for one report.
 */
export function diagnostics(
  format: LogFormat,
  printer: Pick<Printer, "print"> = stderr,
  now: () => number = Date.now,
): Report {
  return (message, error, id) => {
    const time = new Date(now()).toISOString();
    const level = error === undefined ? "warning" : "error";
    const detail = error === undefined || typeof error === "string" ? error : Deno.inspect(error);
    const text = detail === undefined ? message : `${message}: ${detail}`;
    const line = format === "json"
      ? JSON.stringify({ time, level, id, message, error: detail })
      : `${time} ${level} ${id ?? "-"} ${text.replace(/\s*\n\s*/g, " | ")}`;
    printer.print(line.replace(controls, escaped));
  };
}

/** What a name of a file could do to a terminal, or to what splits lines: controls, line separators, changes of direction. */
// deno-lint-ignore no-control-regex -- they are what is looked for
const controls = /[\0-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
