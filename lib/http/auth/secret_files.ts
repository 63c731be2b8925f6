import { relative, sep } from "node:path";

/** Files that no client may get, by whatever name: those of the tokens and of the key. */
export class SecretFiles {
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
    this.#known.add(idOf(Deno.statSync(file)));
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
    return info.ino !== null && this.#known.has(idOf(info));
  }
}

function idOf({ dev, ino }: Deno.FileInfo): string {
  return `${dev} ${ino}`;
}
