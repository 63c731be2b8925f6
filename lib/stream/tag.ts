import { createHash } from "node:crypto";

/** A name in a cursor: six base-36 characters that hardly another name has. Clients hold it: it must not change. */
export function tagOf(name: string): string {
  const hash = createHash("sha256").update(name).digest().readUIntBE(0, 6);
  return (hash % 36 ** 6).toString(36).padStart(6, "0");
}
