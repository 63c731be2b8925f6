import { assert, assertEquals } from "@std/assert";
import { openRedisStore } from "../lib/channels/redis/start.ts";
import { Limits } from "../lib/limits.ts";
import { makeCertificate } from "./support/certificates.ts";
import { granted } from "./support/granted.ts";
import { Lines } from "./support/lines.ts";
import { outcome, start } from "./support/process.ts";
import { find } from "./support/programs.ts";
import { RedisServer, withoutRedis } from "./support/redis.ts";
import { serve, until } from "./support/server.ts";
import { connect, leave } from "./support/socket_client.ts";
import { open } from "./support/wire.ts";

/** A folder to run in. */
async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "weir-redis-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function post(url: string, body: string) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(url, { method: "POST", body, headers });
  return { status: response.status, ...await response.json() };
}

Deno.test({
  name: "a start without --redis neither loads nor wants its client",
  ignore: !granted.run,
  async fn() {
    await using cwd = await folder();
    const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
    const { npmCache } = JSON.parse(new TextDecoder().decode(info.stdout));
    // All that such a start may use, and no network for more.
    const lock = JSON.parse(await Deno.readTextFile(new URL("../deno.lock", import.meta.url)));
    const packages = Object.keys(lock.npm).map((name) => name.replace(/@[^@]*$/, ""));
    const own = `${cwd.path}/deno/npm/registry.npmjs.org`;
    await Deno.mkdir(own, { recursive: true });
    const sources = packages.map((name) => `${npmCache}/registry.npmjs.org/${name}`);
    await new Deno.Command("cp", { args: ["-r", ...sources, own] }).output();
    const env = { DENO_DIR: `${cwd.path}/deno` };
    await using server = await start([], { cwd: cwd.path, env, run: ["--cached-only"] });
    assertEquals((await post(`${server.origin}/channels/x`, "1")).status, 201);
    assertEquals([...Deno.readDirSync(own)].map(({ name }) => name).sort(), packages.sort());
    // What it would have said with the flag.
    const { code, stderr } = await outcome(["--redis", "redis://127.0.0.1"], {
      cwd: cwd.path,
      env,
      run: ["--cached-only"],
    });
    assertEquals(code, 2);
    assert(/^cannot use the Redis at 127.0.0.1: .*"redis".*\n$/.test(stderr), stderr);
  },
});

Deno.test(
  "a Redis that cannot be used ends the start with one line and 2",
  { ignore: !granted.run },
  async () => {
    await using cwd = await folder();
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    listener.close();
    const env = { WEIR_REDIS: `redis://user:secret@127.0.0.1:${listener.addr.port}` };
    const { code, stdout, stderr } = await outcome([], { cwd: cwd.path, env });
    assertEquals([code, stdout, stderr.trimEnd().split("\n").length], [2, "", 1]);
    assert(stderr.startsWith(`cannot use the Redis at 127.0.0.1:${listener.addr.port}: `));
  },
);

Deno.test("--check looks at the URL of Redis alone", { ignore: !granted.run }, async () => {
  await using cwd = await folder();
  const check = (url: string) => outcome(["--check", "--redis", url], { cwd: cwd.path });
  assertEquals((await check("redis://127.0.0.1:1")).code, 0);
  const { code, stderr } = await check("http://user:secret@127.0.0.1");
  assertEquals([code, stderr.includes("secret")], [2, false]);
});

Deno.test("a client goes on exactly at another process, also when its own was killed", {
  ignore: withoutRedis,
}, async () => {
  await using redis = await RedisServer.start();
  await using cwd = await folder();
  const args = ["--redis", redis.url];
  await using first = await start(args, { cwd: cwd.path });
  await using second = await start(args, { cwd: cwd.path });
  const path = "/channels/x?format=ndjson";
  const reader = await open(first.origin + path);
  await post(`${second.origin}/channels/x`, '"a"');
  const { id } = JSON.parse((await reader.until("\n")).trim());
  first.kill("SIGKILL");
  await reader.rest().catch(() => {});
  await post(`${second.origin}/channels/x`, '"b"');
  await using lines = await Lines.get(`${second.origin}${path}&after=${id}`);
  assertEquals(JSON.parse((await lines.next())!).data, "b");
});

Deno.test("rediss:// speaks TLS with a certificate that is trusted, and with no other", {
  ignore: withoutRedis || find("openssl") === undefined,
}, async () => {
  await using cwd = await folder();
  const { cert, key } = await makeCertificate(cwd.path, "redis");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert];
  await using _redis = await RedisServer.start(
    "--tls-port",
    String(port),
    "--tls-auth-clients",
    "no",
    ...files,
  );
  const args = ["--redis", `rediss://127.0.0.1:${port}`];
  const refused = await outcome(args, { cwd: cwd.path });
  assertEquals([refused.code, /certificate/.test(refused.stderr)], [2, true]);
  await using server = await start(args, { cwd: cwd.path, env: { DENO_CERT: cert } });
  assertEquals((await post(`${server.origin}/channels/x`, "1")).status, 201);
});

Deno.test("while Redis is away readers stay, posts are 503 and /healthz is degraded; then all goes on", {
  ignore: withoutRedis,
}, async () => {
  await using redis = await RedisServer.start("--appendfsync", "always");
  const channels = await openRedisStore({ redis: redis.url, limits: new Limits() }, () => {});
  await using server = await serve({ channels });
  const url = `${server.origin}/channels/x`;
  const health = async () => await (await fetch(`${server.origin}/healthz`)).json();
  await using lines = await Lines.get(`${url}?format=ndjson`);
  await post(url, "1");
  assertEquals(JSON.parse((await lines.next())!).data, 1);
  await redis.kill();
  await until(async () => (await health()).status === "degraded");
  assert((await health()).reasons[0].startsWith("Redis is away: "));
  const refused = await fetch(url, { method: "POST", body: "2" });
  assertEquals([refused.status, refused.headers.get("retry-after")], [503, "2"]);
  assertEquals((await refused.json()).published, false);
  await redis.start();
  await until(async () => (await health()).status === "ok");
  assertEquals(JSON.parse((await lines.next())!).event, "gap");
  assertEquals((await post(url, "3")).status, 201);
  assertEquals(JSON.parse((await lines.next())!).data, 3);
});

Deno.test("over a WebSocket, what Redis cannot take is refused with what was published of it", {
  ignore: withoutRedis,
}, async () => {
  await using redis = await RedisServer.start();
  const channels = await openRedisStore({ redis: redis.url, limits: new Limits() }, () => {});
  await using server = await serve({ channels });
  const client = await connect(`${server.origin}/ws?channel=x`);
  await redis.kill();
  await until(() => channels.fault !== null);
  client.socket.send("lost");
  await until(() => client.messages.length > 0);
  const { event, data: { status, published } } = JSON.parse(client.messages[0]);
  assertEquals([event, status, published], ["refused", 503, false]);
  await leave(client);
});
