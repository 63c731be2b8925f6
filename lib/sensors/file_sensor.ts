import type { Opens } from "../opens.ts";
import type { SensorType } from "./declared.ts";
import { SensorError } from "./sensor.ts";

/** Bytes of a file that may hold its number. */
const maxBytes = 256;

/** Reads the number that the file at `path` begins with, times `scale` (1), plus `offset` (0). */
export const fileSensor: SensorType = (fields, { opens }) => {
  const path = fields.path("path");
  const scale = fields.number("scale", 1);
  const offset = fields.number("offset", 0);
  return async (signal) => number(await head(path, opens, signal)) * scale + offset;
};

function number(text: string): number {
  // Of `12,5`, `2026-11-23` or digits that go on behind what was read, the beginning would be an invented number.
  const value = /^\s*([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)(?![\w.,…-])/i.exec(text)?.[1];
  if (value === undefined) throw new SensorError("the file does not begin with a number");
  return Number(value);
}

/** The first bytes as text, with `…` in place of the rest. */
async function head(path: string, opens: Opens, signal: AbortSignal): Promise<string> {
  try {
    // Before the open: a program that writes to a FIFO would take us for its reader.
    if (!(await Deno.stat(path)).isFile) throw new SensorError("it is not a file");
    using file = await opens.open(path, signal);
    // A FIFO may have been put there meanwhile, and its read would wait for a writer.
    if (!(await file.stat()).isFile) throw new SensorError("it is not a file");
    const bytes = new Uint8Array(maxBytes);
    const count = await file.read(bytes) ?? 0;
    return new TextDecoder().decode(bytes.subarray(0, count)) + (count === maxBytes ? "…" : "");
  } catch (error) {
    if (error instanceof SensorError) throw error;
    const isMissing = error instanceof Deno.errors.NotFound;
    throw new SensorError(isMissing ? "there is no such file" : "the file cannot be read");
  }
}
