import { fileURLToPath } from "node:url";
import { type ServerProcess, startTask } from "./process.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** A fenced block of a page. */
export interface Block {
  language: string;
  code: string;
}

/** The fenced blocks of README.md. */
export async function readmeBlocks(): Promise<Block[]> {
  return blocksOf(await Deno.readTextFile(`${project}/README.md`));
}

/** The fenced blocks of a page. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language, code]) => ({ language, code }));
}

/** Somebody has done all that README's guide says, and started the server. */
export interface Followed extends AsyncDisposable {
  /** The project's folder. */
  cwd: string;
  server: ServerProcess;
  blocks: Block[];
}

/** Writes the guide's files, rows and lines into a copy of the project; a second in them is 50 ms. */
export async function followReadme(): Promise<Followed> {
  const cwd = await Deno.makeTempDir({ prefix: "weir-guide-" });
  const port = freePort();
  const blocks = (await readmeBlocks()).map(({ language, code }) => ({
    language,
    code: code.replaceAll("127.0.0.1:8000", `127.0.0.1:${port}`).replaceAll("1_000", "50"),
  }));
  await Promise.all([copy("handlers", cwd), Deno.copyFile(`${project}/main.ts`, `${cwd}/main.ts`)]);
  await Deno.copyFile(`${project}/LICENSE`, `${cwd}/LICENSE`);
  await Deno.mkdir(`${cwd}/tests`);
  const imports: string[] = [], rows: string[] = [];
  let services = "";
  for (const { language, code } of blocks) {
    const [first, ...following] = code.split("\n");
    const file = /^\/\/ ((?:handlers|tests)\/(\w+)\.ts)$/.exec(first);
    if (language !== "ts") continue;
    if (file !== null) {
      await Deno.writeTextFile(`${cwd}/${file[1]}`, code);
      for (const row of following.filter((line) => line.startsWith("// {"))) {
        imports.push(`import { ${/handler: (\w+)/.exec(row)?.[1]} } from "./${file[2]}.ts";`);
        rows.push(row.slice(3));
      }
    } else {
      const [line, rest] = code.split("\n…\n");
      imports.push(line);
      if (rest.startsWith("{")) rows.push(rest);
      else services = rest;
    }
  }
  // As it is before anybody has written into it.
  await Deno.writeTextFile(
    `${cwd}/handlers/own.ts`,
    [
      `import type { Context, Route } from "../lib/handler.ts";`,
      `import type { Service } from "../lib/service.ts";`,
      ...imports,
      `export const ownRoutes: Route[] = [${rows.join("\n")}];`,
      services,
    ].join("\n"),
  );
  const server = await startTask(cwd, port);
  return {
    cwd,
    server,
    blocks,
    async [Symbol.asyncDispose]() {
      // `deno task` passes this on; what it started would outlive a SIGKILL.
      server.kill("SIGTERM");
      await server.status;
      await Deno.remove(cwd, { recursive: true });
    },
  };
}

/** A port for who has to be told one before it listens. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function copy(path: string, to: string): Promise<void> {
  await Deno.mkdir(`${to}/${path}`);
  for await (const { name, isDirectory } of Deno.readDir(`${project}/${path}`)) {
    if (isDirectory) await copy(`${path}/${name}`, to);
    else await Deno.copyFile(`${project}/${path}/${name}`, `${to}/${path}/${name}`);
  }
}
