import { Guard } from "./guard.ts";
import { servedFrom } from "./served.ts";
import { tokenText } from "./token.ts";
import { readTokenFile, TokenFileError } from "./token_file.ts";

/** Where the tokens come from. */
export interface TokenSources {
  /** Absolute path of the token file; null without one. */
  path: string | null;
  /** The flag or its variable, for messages. */
  name: string;
  /** The value of `WEIR_TOKEN`: a token with all rights. */
  all?: string;
  /** Absolute paths of what clients can read, which the file must not be in. */
  served: readonly string[];
}

/**
 * The guard of the token file and of `WEIR_TOKEN`, and what reads the file again; null without either: everybody is let in.
 * `reload` says what was read; it throws as this does, and then the tokens are as before.
 *
 * @throws TokenFileError in one line, without the text of any token
 */
export function readGuard(
  { path, name, all, served }: TokenSources,
): { guard: Guard; reload: (() => string) | null } | null {
  if (all && !tokenText.test(all)) {
    throw new TokenFileError("WEIR_TOKEN must be 32 to 256 letters, digits, - and _");
  }
  if (path === null) return all ? { guard: new Guard({ tokens: [] }, all), reload: null } : null;
  const read = () => {
    const file = readTokenFile(path, name);
    const root = servedFrom(path, served);
    if (root !== undefined) {
      throw new TokenFileError(`${name} ${path}: must not be in ${root}, which clients can read`);
    }
    return file;
  };
  const guard = new Guard(read(), all || undefined);
  const reload = () => {
    const file = read();
    guard.replace(file);
    const { length } = file.tokens;
    return `token file read again: ${length} ${length === 1 ? "token" : "tokens"}`;
  };
  return { guard, reload };
}
