import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";

/** Last change of the files that tests put: long enough ago for a strong ETag. */
export const settled = new Date("2024-05-06T07:08:09.123Z");

/** Writes a file, with the folders that lead to it. */
export async function put(path: string, content: string | Uint8Array): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  await Deno.utime(path, settled, settled);
}

/** Writes zeros into a file as it is, from a byte on. */
export async function overwrite(path: string, length: number, at = 0): Promise<void> {
  using file = await Deno.open(path, { write: true });
  const { mtime } = file.statSync();
  // Again until the mtime has moved: the clock of a file system ticks only every few ms.
  do {
    file.seekSync(at, Deno.SeekMode.Start);
    for (let written = 0; written < length;) written += file.writeSync(new Uint8Array(length - written));
  } while (file.statSync().mtime?.getTime() === mtime?.getTime());
}

/** A folder with these files below `root/`; a name may begin with `../`. */
export async function makeRoot(
  contents: Record<string, string | Uint8Array>,
): Promise<AsyncDisposable & { root: string }> {
  const folder = await Deno.makeTempDir({ prefix: "weir-test-" });
  const root = `${folder}/root`;
  await Deno.mkdir(root);
  for (const [name, content] of Object.entries(contents)) await put(`${root}/${name}`, content);
  return { root, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** Makes a FIFO; opening it to read waits until `free` opens it to write. */
export async function makeFifo(path: string): Promise<{ free(): Promise<void> }> {
  await new Deno.Command("mkfifo", { args: [path] }).output();
  return { free: async () => (await Deno.open(path, { write: true })).close() };
}

/** Random bytes, also more than `crypto.getRandomValues` gives at once. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 65_536) crypto.getRandomValues(bytes.subarray(i, i + 65_536));
  return bytes;
}

/** Compares without the wall of text that a failing assertEquals makes of a megabyte. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, message = ""): void {
  assertEquals(actual.length, expected.length, message);
  assertEquals(Buffer.compare(actual, expected), 0, `other bytes: ${message}`);
}
