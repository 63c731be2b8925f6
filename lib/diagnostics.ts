import type { Report } from "./stream/errors.ts";
import { type Printer, stderr } from "./stream/printer.ts";

/** How diagnostics are written: a line of text, or of JSON. */
export const logFormats = ["text", "json"] as const;
/** One of them. */
export type LogFormat = typeof logFormats[number];

/**
 * Reports as lines, each with its time, its level and the id of its request: `error` where something has failed, with what it
 * failed of, else `warning`. A stack is on the same line, so that what collects the lines takes one for one report.
 */
export function diagnostics(
  format: LogFormat,
  printer: Pick<Printer, "print"> = stderr,
  now: () => number = Date.now,
): Report {
  return (message, error, id) => {
    const time = new Date(now()).toISOString();
    const level = error === undefined ? "warning" : "error";
    const detail = error === undefined ? undefined : Deno.inspect(error);
    if (format === "json") return printer.print(JSON.stringify({ time, level, id, message, error: detail }));
    const text = detail === undefined ? message : `${message}: ${detail}`;
    printer.print(`${time} ${level} ${id ?? "-"} ${text.replace(/\s*\n\s*/g, " | ")}`);
  };
}
