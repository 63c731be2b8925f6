import { Guard } from "../../lib/http/auth/guard.ts";
import { parseTokens } from "../../lib/http/auth/token_file.ts";

/** Texts of tokens, by the names that they have in {@linkcode tokenLines}. */
export const token = {
  reader: "r".repeat(32),
  publisher: "p".repeat(40),
  meter: "m".repeat(32),
  admin: "a".repeat(64),
  wrong: "w".repeat(64),
} as const;

/** A token file: a token for each right, and what tickets are signed with. */
export const tokenLines = [
  `reader read ${token.reader}`,
  `publisher publish ${token.publisher}`,
  `meter metrics ${token.meter}`,
  `admin admin ${token.admin}`,
  `secret ${"s".repeat(32)}`,
];

/** A token file of these lines, read. */
export const tokenFile = (lines: readonly string[] = tokenLines) => parseTokens(lines.join("\n") + "\n");

/** The guard of a token file. */
export const guardOf = (lines?: readonly string[], now?: () => number): Guard =>
  new Guard(tokenFile(lines), undefined, now);

/** The header of a token. */
export const bearer = (text: string): { authorization: string } => ({ authorization: `Bearer ${text}` });

/** Writes `.tokens` into a folder: a file of an admin's token, and of the watcher's, which is this. */
export function writeWatcher(folder: string, text: string): Promise<void> {
  const lines = `watcher read ${text}\nadmin admin ${token.admin}\n`;
  return Deno.writeTextFile(`${folder}/.tokens`, lines, { mode: 0o600 });
}
