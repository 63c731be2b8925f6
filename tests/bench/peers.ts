import { fileURLToPath } from "node:url";
import { find, findPython } from "../support/programs.ts";
import { freePort } from "../support/readme.ts";

/** A server to measure, on a port of 127.0.0.1. */
export interface Peer {
  name: string;
  port: number;
  stop(): Promise<void>;
}

const here = fileURLToPath(new URL("peers/", import.meta.url));

/** Starts a program, and waits until it listens on the port that it was given. */
async function launch(name: string, port: number, command: string, args: string[]): Promise<Peer> {
  const child = new Deno.Command(command, { args, stdout: "null", stderr: "null" }).spawn();
  for (let tries = 0;; tries++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => null);
    connection?.close();
    if (connection !== null) break;
    if (tries === 100) throw new Error(`${name} does not listen`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    name,
    port,
    async stop() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** Starts the peers that are installed, to serve the files of a folder; what is built or written goes to `work`. */
export async function startPeers(folder: string, work: string): Promise<Peer[]> {
  const peers: Peer[] = [];
  const go = find("go");
  if (go !== undefined) {
    const port = freePort();
    await new Deno.Command(go, { args: ["build", "-o", `${work}/peer`, `${here}peer.go`] }).output();
    peers.push(await launch("Go", port, `${work}/peer`, [`${port}`, folder]));
  }
  const nginx = find("nginx");
  if (nginx !== undefined) {
    const port = freePort();
    const config = `daemon off; pid ${work}/pid; error_log ${work}/error.log;\nevents {}\n` +
      `http { access_log off; sendfile on; server { listen 127.0.0.1:${port}; root ${folder}; } }\n`;
    await Deno.writeTextFile(`${work}/nginx.conf`, config);
    await Deno.chmod(folder, 0o755);
    peers.push(await launch("nginx", port, nginx, ["-p", work, "-c", `${work}/nginx.conf`]));
  }
  const python = findPython("fastapi, uvicorn");
  if (python !== undefined) {
    const port = freePort();
    peers.push(await launch("FastAPI", port, python, [`${here}peer.py`, `${port}`, folder]));
  }
  return peers;
}
