import { hashOf, type Right, rights, type Token, tokenText } from "./token.ts";

/** The tokens of a file, and what tickets are signed with. */
export interface TokenFile {
  readonly tokens: readonly Token[];
  /** Undefined in a file without one. */
  readonly secret?: string;
}

/** A token file that cannot be used. The message has the number of a line, never its text. */
export class TokenFileError extends Error {
  /** The error's name. */
  override name = "TokenFileError";
}

/** Permission bits of those who neither own the file nor are in its group. */
const othersRead = 0o004, othersWrite = 0o002;

/**
 * Reads a token file.
 *
 * @param name the flag or its variable, for messages
 * @throws TokenFileError also for one that others can write, or that others can read while it has anything but hashes
 */
export function readTokenFile(path: string, name: string): TokenFile {
  let text: string, mode: number;
  try {
    const info = Deno.statSync(path);
    // Opening a FIFO without a writer would wait for good.
    if (!info.isFile) throw new Error(`${path} is not a file`);
    mode = info.mode ?? 0;
    text = Deno.readTextFileSync(path);
  } catch (error) {
    throw new TokenFileError(`${name} must be a file that can be read: ${(error as Error).message}`);
  }
  try {
    const { plain, ...file } = parseTokens(text);
    if (mode & othersWrite) throw new TokenFileError("must not be writable by others (chmod o-w)");
    if (plain && mode & othersRead) {
      throw new TokenFileError(
        "must not be readable by others (chmod o-r), unless all its tokens are hashes",
      );
    }
    return file;
  } catch (error) {
    throw new TokenFileError(`${name} ${path}: ${(error as Error).message}`);
  }
}

/**
 * The lines of a token file: `NAME RIGHTS TOKEN [expires=TIME]`, or `secret TEXT`; `plain` says whether one holds a secret
 * itself, in place of its hash.
 *
 * @throws TokenFileError with the number of the line
 */
export function parseTokens(text: string): TokenFile & { plain: boolean } {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  const tokens = new Map<string, Token>();
  let secret: string | undefined;
  let plain = false;
  for (const [index, line] of lines.entries()) {
    const fail = (rule: string): never => {
      throw new TokenFileError(`line ${index + 1} must ${rule}`);
    };
    const fields = line.split("#", 1)[0].trim().split(/[ \t]+/);
    // Whatever it holds: of half a token a tail is missing.
    if (index === lines.length - 1 && line !== "") {
      fail("end in a line break: the file may not be all there");
    }
    if (fields[0] === "") continue;
    if (fields[0] === "secret") {
      if (fields.length !== 2 || !tokenText.test(fields[1])) {
        fail("be secret and 32 to 256 letters, digits, - and _");
      }
      if (secret !== undefined) fail("not be a second secret");
      secret = fields[1];
      plain = true;
      continue;
    }
    const token = parseToken(fields, fail);
    if (tokens.has(token.hash)) fail("not have the token of another line");
    tokens.set(token.hash, token);
    plain ||= !fields[2].startsWith("sha256:");
  }
  // One that was emptied to be written anew would lock everybody out.
  if (tokens.size === 0) throw new TokenFileError("must have a token");
  return { tokens: [...tokens.values()], secret, plain };
}

function parseToken(fields: string[], fail: (rule: string) => never): Token {
  if (fields.length < 3 || fields.length > 4) fail("be NAME RIGHTS TOKEN, and expires=TIME where it ends");
  const [name, listed, text, end = ""] = fields;
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
    fail("begin with a name of 1 to 64 letters, digits, '.', '_' or '-'");
  }
  const given = listed.split(",");
  if (!given.every((right) => rights.includes(right as Right))) {
    fail(`have rights of ${rights.join(", ")}, separated by commas alone`);
  }
  const hash = /^sha256:([0-9a-fA-F]{64})$/.exec(text)?.[1].toLowerCase();
  if (hash === undefined && !tokenText.test(text)) {
    fail("have a token of 32 to 256 letters, digits, - and _, or sha256: and 64 hex digits");
  }
  return {
    name,
    rights: new Set(given as Right[]),
    hash: hash ?? hashOf(text),
    expires: end === "" ? Infinity : timeOf(end) ?? fail("end in expires=TIME, as in 2030-12-31T23:59:59Z"),
  };
}

/** The time of `expires=`, in ms since 1970: RFC 3339 in UTC; a date that no calendar has is undefined, too. */
function timeOf(field: string): number | undefined {
  const text = /^expires=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z$/.exec(field);
  const time = text === null ? NaN : Date.parse(`${text[1]}${text[2] ?? ""}Z`);
  // The parser takes the 30th of February for a day in March.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 19) !== text![1] ? undefined : time;
}
