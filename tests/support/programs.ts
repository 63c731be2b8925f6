import { delimiter } from "node:path";

/** Programs that tests start, and the Debian package of each. What is not there has its tests ignored. */
export const packages = {
  chromium: "chromium",
  nginx: "nginx-light",
  curl: "curl",
  promtool: "prometheus",
  openssl: "openssl",
  python3: "python3 python3-requests python3-httpx",
  unzip: "unzip",
  "systemd-analyze": "systemd",
  "redis-server": "redis-server",
};

export type Program = keyof typeof packages;

/** The path of an installed program, one that is `good`. Needs to read files and `PATH`. Go is a peer of `deno task bench`. */
export function find(program: Program | "go", good = (_path: string) => true): string | undefined {
  // A user's PATH often leaves out where servers are.
  const folders = [...Deno.env.get("PATH")?.split(delimiter) ?? [], "/usr/bin", "/usr/sbin"];
  return folders.map((folder) => `${folder}/${program}`).find((path) => {
    try {
      return Deno.statSync(path).isFile && good(path);
    } catch {
      return false;
    }
  });
}

/** A Python that has these modules. */
export function findPython(modules: string): string | undefined {
  const has = (path: string) =>
    new Deno.Command(path, { args: ["-c", `import ${modules}`] }).outputSync().success;
  return find("python3", has);
}
