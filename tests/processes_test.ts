import { assert, assertEquals, assertMatch } from "@std/assert";
import denoJson from "../deno.json" with { type: "json" };
import { granted } from "./support/granted.ts";
import { askAnew, pair } from "./support/pair.ts";
import { outcome, type ServerProcess } from "./support/process.ts";
import { until } from "./support/server.ts";
import { send } from "./support/wire.ts";

const ignore = !granted.run || Deno.build.os !== "linux";

/** How many requests of a path a process has answered. */
async function answered({ admin }: ServerProcess, path: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(
    text.match(`weir_requests_total{route="${path}",method="GET",status="200"} (\\d+)`)?.[1] ?? 0,
  );
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

test("with --reuse-port two processes share the connections to one port", async () => {
  await using processes = await pair();
  const [first, second] = processes.both;
  await Promise.all(Array.from({ length: 100 }, () => askAnew(first, "/sensors")));
  const counts = [await answered(first, "/sensors"), await answered(second, "/sensors")];
  assertEquals(counts[0] + counts[1], 100);
  assert(counts[0] > 0 && counts[1] > 0, `${counts}`);
});

test("while one of two processes drains, what it has accepted is answered whole", async () => {
  await using processes = await pair();
  const [first, second] = processes.both;
  using big = await Deno.create(`${processes.folder}/big`);
  await big.truncate(16_777_216);
  const ask = () => send(first.port, "GET /files/big HTTP/1.1\nHost: localhost\nConnection: close\n\n");
  const conns = await Promise.all(Array.from({ length: 16 }, ask));
  const downloads = async ({ admin }: ServerProcess) =>
    (await (await fetch(`${admin}/healthz`)).json()).downloads;
  await until(async () => await downloads(first) + await downloads(second) === 16);
  assert(await downloads(first) > 0);
  first.kill("SIGTERM");
  const bodies = await Promise.all(conns.map((conn) => new Response(conn.readable).bytes()));
  for (const { length } of bodies) assert(length > 16_777_216, `${length}`);
});

test("when one of two processes has drained, the other gets all connections", async () => {
  await using processes = await pair();
  const [first, second] = processes.both;
  first.kill("SIGTERM");
  assertEquals((await first.status).code, 0);
  await Promise.all(Array.from({ length: 50 }, () => askAnew(second, "/sensors")));
  assertEquals(await answered(second, "/sensors"), 50);
});

test("what a process asks of itself does not go to the other, whose own token it does not have", async () => {
  await using processes = await pair([], { WEIR_TOKEN: "x".repeat(32) });
  const [{ origin }] = processes.both;
  const headers = { Authorization: `Bearer ${"x".repeat(32)}` };
  for (let n = 0; n < 20; n++) {
    const text = await (await fetch(`${origin}/stream?count=1`, { headers })).text();
    assertMatch(text, /upstream answered 200 /);
  }
});

test("--reuse-port without --redis warns that nothing is shared", async () => {
  await using processes = await pair();
  for (const { stderr } of processes.both) {
    assertMatch(stderr(), /^\S+ warning - --reuse-port without --redis/);
  }
});

test("a process without --reuse-port does not get a port that others share", async () => {
  await using processes = await pair();
  const [{ port }] = processes.both;
  const { code, stderr } = await outcome(["--port", String(port)], { cwd: processes.folder });
  assertEquals(code, 1);
  assertMatch(stderr, /^cannot listen on 127\.0\.0\.1 port \d+: /);
});

test("--reuse-port without --unstable-net is refused as that", async () => {
  const cwd = await Deno.makeTempDir();
  const config = `${cwd}/deno.json`;
  await Deno.writeTextFile(config, JSON.stringify({ imports: denoJson.imports }));
  const { code, stderr } = await outcome(["--port", "0", "--reuse-port"], { cwd, config });
  assertEquals(code, 2);
  // Without a lock file Deno may say what it looks up.
  assertMatch(stderr, /^--reuse-port must be on Linux, with --unstable-net of deno run or its deno.json$/m);
  await Deno.remove(cwd, { recursive: true });
});

test("--admin answers /metrics and /healthz, and nothing else", async () => {
  await using processes = await pair();
  const [{ admin }] = processes.both;
  const statuses = [];
  for (const path of ["/metrics", "/healthz", "/sensors", "/", "/channels/a"]) {
    const response = await fetch(admin + path);
    await response.body?.cancel();
    statuses.push(response.status);
  }
  assertEquals(statuses, [200, 200, 404, 404, 404]);
});

test("--admin asks for the same rights as the public port", async () => {
  await using processes = await pair([], { WEIR_TOKEN: "x".repeat(32) });
  const [{ admin }] = processes.both;
  const status = async (headers: Record<string, string>) => {
    const response = await fetch(`${admin}/metrics`, { headers });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await status({}), 401);
  assertEquals(await status({ Authorization: `Bearer ${"x".repeat(32)}` }), 200);
});

test("--admin on a port that is taken is refused in one line", async () => {
  await using processes = await pair();
  const taken = new URL(processes.both[0].admin).port;
  const { code, stderr } = await outcome(["--port", "0", "--admin", taken], { cwd: processes.folder });
  assertEquals(code, 1);
  assertMatch(stderr, new RegExp(`^cannot listen on 127\\.0\\.0\\.1 port ${taken}: .*\n$`));
});
