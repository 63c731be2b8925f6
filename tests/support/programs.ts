import { delimiter } from "node:path";

/** Programs that tests start, and the Debian package of each. What is not there has its tests ignored. */
export const packages = { chromium: "chromium", nginx: "nginx-light", promtool: "prometheus" };

export type Program = keyof typeof packages;

/** The path of an installed program. Needs to read files and `PATH`. */
export function find(program: Program): string | undefined {
  // A user's PATH often leaves out where servers are.
  const folders = [...Deno.env.get("PATH")?.split(delimiter) ?? [], "/usr/bin", "/usr/sbin"];
  return folders.map((folder) => `${folder}/${program}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}
