import { relative, sep } from "node:path";

/** Files that no client may get, by whatever name: those of the tokens and of the key. */
export class SecretFiles {
  readonly #paths = new Set<string>();
  /** Those that have been there since the start: a hard link to an earlier one may still have tokens that let in. */
  readonly #known = new Set<string>();

  /** `roots`: absolute paths of what clients can read. */
  constructor(readonly roots: readonly string[]) {}

  /**
   * Takes one, by its absolute path; gives the root by which clients could read it, if any: hidden names are not served.
   *
   * @throws Error for a file that is not there
   */
  add(path: string): string | undefined {
    const file = Deno.realPathSync(path);
    this.#paths.add(path);
    return this.roots.find((root) => {
      try {
        const way = relative(Deno.realPathSync(root), file).split(sep);
        return way[0] !== ".." && !way.some((segment) => segment.startsWith("."));
      } catch {
        return false; // What is not there yet is not served.
      }
    });
  }

  /** Whether an open file is one of them: a hard link, or a link that may lead anywhere, is another name of it. */
  has(info: Deno.FileInfo): boolean {
    // Looked at each time: what is renamed into place is secret before it is read.
    for (const path of this.#paths) {
      try {
        this.#known.add(idOf(Deno.statSync(path)));
      } catch {
        // It is being replaced.
      }
    }
    return info.ino !== null && this.#known.has(idOf(info));
  }
}

/** With the time of its birth, as the inode of a file that is gone is given to another. */
function idOf({ dev, ino, birthtime }: Deno.FileInfo): string {
  return `${dev} ${ino} ${birthtime?.getTime()}`;
}
