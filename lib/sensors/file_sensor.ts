import { OpenFile } from "../open_file.ts";
import type { DeclaredSensor } from "./declared.ts";
import { type Sensor, SensorError } from "./sensor.ts";

/** A number is in the first bytes of a file, or nowhere. */
const maxBytes = 256;

/** Reads the number that a file begins with, times `scale`, plus `offset`; its path has to be absolute. */
export function fileSensor(declared: DeclaredSensor & { type: "file" }): Sensor {
  const { id, unit, description, interval, timeout, path, scale, offset } = declared;
  return { id, unit, description, interval, timeout, read: async () => await number(path) * scale + offset };
}

async function number(path: string): Promise<number> {
  const text = await head(path);
  // Of `12,5`, `2026-11-23` or digits that go on behind what was read, the beginning would be an invented number.
  const value = /^\s*([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)(?![\w.,…-])/i.exec(text)?.[1];
  if (value === undefined) throw new SensorError("the file does not begin with a number");
  return Number(value);
}

/** The first bytes as text, with `…` in place of the rest. */
async function head(path: string): Promise<string> {
  try {
    // First of all: who writes to a FIFO would take us for its reader.
    if (!(await Deno.stat(path)).isFile) throw new SensorError("it is not a file");
    using file = await OpenFile.open(path);
    const bytes = new Uint8Array(maxBytes);
    const read = await file.read(bytes, 0);
    return new TextDecoder().decode(bytes.subarray(0, read)) + (read === maxBytes ? "…" : "");
  } catch (error) {
    if (error instanceof SensorError) throw error;
    throw new SensorError(
      error instanceof Deno.errors.NotFound ? "there is no such file" : "the file cannot be read",
    );
  }
}
