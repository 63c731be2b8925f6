/**
 * No file handle is left when the first request of each kind comes: it has an answer within ten seconds, the process lives, and
 * once there are handles again the same request is answered as ever. On Linux.
 *
 *     deno run --allow-all tests/torture/handles_torture.ts [HANDLES]
 */
import { start } from "../support/process.ts";
import { until } from "../support/server.ts";
import { upgrade } from "../support/socket_client.ts";

const handles = Number(Deno.args[0] ?? 150);
const get = (path: string) => `GET ${path} HTTP/1.1\nHost: localhost\n\n`;
const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: ${body.length}\n\n${body}`;

/** First requests, each with what it is answered when all is well. */
const kinds: [request: string, status: number][] = [
  [get("/healthz"), 200],
  [get("/"), 200],
  [get("/async_route"), 200],
  [get("/files/"), 200],
  [get("/files/a.txt"), 200],
  [get("/async_download?file=a.txt"), 200],
  [get("/stream/file?file=a.txt"), 200],
  [get("/logs"), 200],
  [get("/logs/app.log"), 200],
  [get("/logs/app.log?follow=false"), 200],
  [get("/logs?name=app.log&name=access.log"), 200],
  [get("/stream?count=2&interval=0"), 200],
  [get("/concurrent_stream?task=a:2:10"), 200],
  [get("/stream?count=2&interval=0&run=a"), 200],
  [get("/channels/demo?format=sse"), 200],
  [post("/channels/demo", '"hello"'), 201],
  [get("/events?channel=demo&log=app.log&sensor=cpu&server"), 200],
  [get("/sensors"), 200],
  [get("/sensors/stream"), 200],
  [get("/sensors/file/history"), 200],
  [post("/sensors/push", "1"), 201],
  [get("/metrics"), 200],
  [get("/openapi.json"), 200],
  [upgrade("/ws"), 101],
];

const cwd = await Deno.makeTempDir({ prefix: "weir-handles-" });
for (const name of ["files", "logs"]) await Deno.mkdir(`${cwd}/${name}`);
await Deno.writeTextFile(`${cwd}/files/a.txt`, "content\n");
await Deno.writeTextFile(`${cwd}/logs/app.log`, "a line\n");
const sensors = [{ id: "push", type: "push" }, { id: "file", type: "file", path: `${cwd}/files/number` }];
await Deno.writeTextFile(`${cwd}/files/number`, "1\n");
await Deno.writeTextFile(`${cwd}/sensors.json`, JSON.stringify({ sensors }));
const flags = ["--files", "files", "--logs", "logs", "--sensors", "sensors.json"];

/** The status of an answer, or how there is none. */
async function ask(conn: Deno.Conn, request: string): Promise<string> {
  const timer = setTimeout(() => conn.close(), 10_000);
  try {
    await conn.write(new TextEncoder().encode(request.replaceAll("\n", "\r\n")));
    const buffer = new Uint8Array(4_096);
    const count = await conn.read(buffer);
    const head = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    return /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? "closed";
  } catch (error) {
    return error instanceof Deno.errors.BadResource ? "none in 10 s" : String(error);
  } finally {
    clearTimeout(timer);
  }
}

const faults: string[] = [];
for (const [request, expected] of kinds) {
  const what = request.split(" HTTP")[0];
  await using server = await start(flags, { cwd, handles });
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const first = await connect();
  const idle: Deno.Conn[] = [];
  await until(async () => {
    for (let n = 0; n < 20; n++) await connect().then((conn) => idle.push(conn), () => {});
    return server.stderr().includes("no connection could be accepted");
  });
  // It listens again with the last one, and nobody else asks for any.
  const used = () =>
    [...Deno.readDirSync(`/proc/${server.pid}/fd`)].filter(({ name }) => Number(name) < handles);
  await until(() => used().length === handles);
  const without = await ask(first, request);
  for (const conn of [...idle, first]) {
    try {
      conn.close();
    } catch {
      // It was closed for want of an answer.
    }
  }
  let after = "";
  await until(async () => {
    const conn = await connect().catch(() => null);
    if (conn === null) return false;
    after = await ask(conn, request);
    if (after !== "none in 10 s") conn.close();
    return after === String(expected);
  }).catch(() => faults.push(`${what}: ${after} once there are handles, not ${expected}`));
  if (!/^[1-5]\d\d$/.test(without)) faults.push(`${what}: ${without} without handles`);
  console.log(`${what}: ${without} without handles, ${after} with them`);
  server.kill("SIGTERM");
  const { code } = await server.status;
  if (code !== 0) faults.push(`${what}: exit code ${code}: ${server.stderr()}`);
}
await Deno.remove(cwd, { recursive: true });
for (const fault of faults) console.log(fault);
console.log(faults.length === 0 ? "all were answered" : `${faults.length} faults`);
Deno.exit(faults.length === 0 ? 0 : 1);
