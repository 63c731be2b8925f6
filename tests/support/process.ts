import { fileURLToPath } from "node:url";
import denoJson from "../../deno.json" with { type: "json" };

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
const ownConfig = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** The arguments of `deno run` in the task `start`, so that what is tested has its permissions and no others. */
const permissions = denoJson.tasks.start.split(" ").slice(2, -1).map((word) => word.replaceAll("'", ""));

/** The project's imports, but with nothing in handlers/own.ts: what is of who builds on Weir is not in its tests. */
const imports = {
  ...denoJson.imports,
  [new URL("../../handlers/own.ts", import.meta.url).href]:
    "data:text/javascript,export const ownRoutes = []; export const ownServices = () => [];",
};
const importMap = `data:application/json,${encodeURIComponent(JSON.stringify({ imports }))}`;

/** The server as its own process. */
export interface ServerProcess extends AsyncDisposable {
  port: number;
  origin: string;
  /** Where `--admin` has it listen. */
  admin: string;
  /** What has been printed. */
  stdout(): string;
  stderr(): string;
  pid: number;
  kill(signal: Deno.Signal): void;
  status: Promise<Deno.CommandStatus>;
}

interface ProcessOptions {
  /** Where it runs; its `logs/` is there. */
  cwd: string;
  env?: Record<string, string>;
  /** A free one if it is not given. */
  port?: number;
  /** Another deno.json than the project's. */
  config?: string;
  /** Arguments of `deno run`, beside the permissions. */
  run?: string[];
  /** How many file handles it may have. */
  handles?: number;
  /** Nobody reads its stderr. */
  unread?: boolean;
}

function command(
  args: string[],
  { cwd, env = {}, config = ownConfig, run = [], handles }: ProcessOptions,
): Deno.Command {
  const deno = [
    Deno.execPath(),
    "run",
    "--config",
    config,
    "--import-map",
    importMap,
    ...permissions,
    ...run,
    main,
    ...args,
  ];
  // Deno itself takes as many as the hard limit allows, so that is what has to be set.
  const [program, ...rest] = handles === undefined
    ? deno
    : ["sh", "-c", `ulimit -n ${handles}; exec "$0" "$@"`, ...deno];
  return new Deno.Command(program, {
    args: rest,
    cwd,
    env: { NO_COLOR: "1", INIT_CWD: cwd, ...env },
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a server that is expected to end by itself; one that does not is killed, and told by its code. */
export async function outcome(
  args: string[],
  options: ProcessOptions,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = command(args, options).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Starts a server and waits until it listens. */
export function start(args: string[], options: ProcessOptions): Promise<ServerProcess> {
  return listening(command(["--port", String(options.port ?? 0), ...args], options).spawn(), options.unread);
}

/**
 * As {@linkcode start}, through `deno task start`. That runs in the folder of deno.json and keeps its `logs/` there, so it
 * gets a folder with links to what it does not have of the project.
 */
export async function startTask(cwd: string, port = 0): Promise<ServerProcess> {
  const own = [...Deno.readDirSync(cwd)].map(({ name }) => name);
  for (const name of ["deno.json", "deno.lock", "main.ts", "handlers", "lib"]) {
    if (own.includes(name)) continue;
    await Deno.symlink(fileURLToPath(new URL(`../../${name}`, import.meta.url)), `${cwd}/${name}`);
  }
  return await listening(
    new Deno.Command(Deno.execPath(), {
      args: ["task", "start", "--port", String(port)],
      cwd,
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

async function listening(child: Deno.ChildProcess, unread = false): Promise<ServerProcess> {
  let stdout = "", stderr = "", ended = false;
  const { promise: firstLine, resolve } = Promise.withResolvers<void>();
  const reading = Promise.all([
    (async () => {
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
        stdout += text;
        if (stdout.includes("\n")) resolve();
      }
      resolve();
    })(),
    unread || (async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) stderr += text;
    })(),
  ]);
  const status = (async () => {
    const status = await child.status;
    ended = true;
    if (unread) await child.stderr.cancel();
    await reading;
    return status;
  })();
  await firstLine;
  const [, scheme, port, admin = ""] =
    /^Listening on (https?):\/\/127\.0\.0\.1:(\d+)\/(?:, .* (http:\S+)\/)?$/m.exec(stdout) ?? [];
  if (!port) {
    await status;
    throw new Error(`the server does not listen: ${stdout}${stderr}`);
  }
  return {
    port: Number(port),
    origin: `${scheme}://127.0.0.1:${port}`,
    admin,
    stdout: () => stdout,
    stderr: () => stderr,
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    status,
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGKILL");
      await status;
    },
  };
}
