import { relative, sep } from "node:path";

/**
 * The one of these roots by which clients can read a file; hidden names are not served. All paths are absolute.
 *
 * @throws Error for a file that is not there
 */
export function servedFrom(path: string, roots: readonly string[]): string | undefined {
  const file = Deno.realPathSync(path);
  return roots.find((root) => {
    try {
      const way = relative(Deno.realPathSync(root), file).split(sep);
      return way[0] !== ".." && !way.some((segment) => segment.startsWith("."));
    } catch {
      return false; // What is not there yet is not served.
    }
  });
}
