import { existsSync } from "node:fs";
import { join } from "node:path";
import { acceptsEncodings } from "@std/http/negotiation";
import type { Opens } from "../opens.ts";
import { find, type Found, open } from "./root.ts";

/** Content codings that a file may lie beside itself in, and the endings of their names; the smaller comes first. */
const codings = [["br", ".br"], ["gzip", ".gz"]] as const;

/** Time without a change after which a `.br` is taken to be whole, in ms: while it is packed, it grows by megabytes at a time. */
const restMs = 60_000;

/** A file as one of its codings, or as it is. */
export interface Coded {
  /** What is sent. */
  found: Found;
  /** Its Content-Encoding; null for the file as it is. */
  coding: string | null;
  /** Whether another Accept-Encoding would get another of them. */
  varies: boolean;
}

/**
 * What to send of a file: `NAME.br` or `NAME.gz` beside it, if it is not older and not just being packed, where Accept-Encoding
 * allows it (RFC 9110, 12.5.3).
 */
export async function codedAs(headers: Headers, found: Found, opens: Opens): Promise<Coded> {
  const coded: Coded[] = [];
  for (const [coding, ending] of codings) {
    const sibling = await siblingOf(found, ending, opens);
    if (sibling !== null) coded.push({ found: sibling, coding, varies: true });
  }
  const plain = { found, coding: null, varies: coded.length > 0 };
  const accepted = headers.get("accept-encoding");
  // An empty field allows no coding; @std takes it for `*`.
  if (!plain.varies || !accepted) return plain;
  // Of codings that are as welcome, @std takes the one that stands first, which for a browser means nothing.
  const isBr = (element: string) => Number(/^\s*br\b/i.test(element));
  const field = accepted.split(",").sort((a, b) => isBr(b) - isBr(a)).join();
  const offered = coded.map(({ coding }) => coding!);
  const request = { headers: new Headers({ "accept-encoding": field }) };
  const chosen = acceptsEncodings(request, ...offered, "identity");
  return coded.find(({ coding }) => coding === chosen) ?? plain;
}

/** The file beside it whose name has this ending; null for none, for one that is older, and for one that is not whole. */
async function siblingOf(
  { root, segments, followLinks, info }: Found,
  ending: string,
  opens: Opens,
): Promise<Found | null> {
  // Nearly all files have none, and a file in this folder has just been found: this waits for no disk.
  if (!existsSync(join(root, ...segments) + ending)) return null;
  const named = [...segments.slice(0, -1), segments.at(-1) + ending];
  const sibling = await find(root, named, followLinks).catch(() => null);
  if (!sibling?.info.isFile) return null;
  // Who packs a file gives its time to the packed one at the end: until then that is newer.
  const age = (sibling.info.mtime?.getTime() ?? 0) - (info.mtime?.getTime() ?? Infinity);
  if (age < 0) return null;
  const isWhole = ending === ".gz"
    ? await lengthIn(sibling, opens) === info.size % 2 ** 32
    : age === 0 || Date.now() - sibling.info.mtime!.getTime() > restMs;
  return isWhole ? sibling : null;
}

/** The length of what is in a `.gz`, modulo 2³²: its last four bytes (RFC 1952, 2.3.1). Null when they cannot be read. */
async function lengthIn(packed: Found, opens: Opens): Promise<number | null> {
  const opened = await open(packed, opens).catch(() => null);
  using file = opened?.file;
  if (!opened || opened.info.size < 4) return null;
  const bytes = new Uint8Array(4);
  await file!.seek(-4, Deno.SeekMode.End);
  return await file!.read(bytes) === 4 ? new DataView(bytes.buffer).getUint32(0, true) : null;
}
