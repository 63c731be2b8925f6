import { assertEquals, assertMatch } from "@std/assert";
import { once } from "node:events";
import http2 from "node:http2";
import { dirname } from "node:path";
import { type MadeCertificate, makeCertificate, trusting } from "./support/certificates.ts";
import { granted } from "./support/granted.ts";
import { outcome, type ServerProcess, start } from "./support/process.ts";
import { find } from "./support/programs.ts";
import { until } from "./support/server.ts";
import { upgrade } from "./support/socket_client.ts";
import { open } from "./support/wire.ts";

const ignore = !granted.run || find("openssl") === undefined || Deno.build.os === "windows";

/** A server with a certificate of its own, in a folder that it does not serve. */
interface Secure extends AsyncDisposable {
  server: ServerProcess;
  /** Where it runs, and its certificate is. */
  folder: string;
  certificate: MadeCertificate;
  /** Trusts its first certificate alone. */
  client: Deno.HttpClient;
}

async function secure(args: string[] = [], env: Record<string, string> = {}): Promise<Secure> {
  const folder = await Deno.makeTempDir({ prefix: "weir-tls-" });
  await Deno.mkdir(`${folder}/files`);
  const certificate = await makeCertificate(folder, "weir");
  const flags = ["--files", `${folder}/files`, "--cert", certificate.cert, "--key", certificate.key];
  const server = await start([...flags, ...args], { cwd: folder, env });
  const client = trusting(certificate);
  return {
    server,
    folder,
    certificate,
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** What curl makes of a URL by HTTP/2. */
async function curl({ server, certificate }: Secure, path: string, ...args: string[]) {
  const { code, stdout } = await new Deno.Command(find("curl")!, {
    args: ["-sSN", "--http2", "--cacert", certificate.cert, ...args, server.origin + path],
    stderr: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout) };
}

/** Whether a client that trusts this certificate alone gets an answer by a new connection. */
async function hasCertificate({ server }: Secure, certificate: MadeCertificate): Promise<boolean> {
  using client = trusting(certificate);
  return await fetch(`${server.origin}/healthz`, { client }).then(
    (response) => response.body!.cancel().then(() => true),
    () => false,
  );
}

/** The number of live streams. */
async function streams({ server, client }: Secure): Promise<number> {
  return (await (await fetch(`${server.origin}/healthz`, { client })).json()).streams;
}

function test(name: string, fn: () => Promise<void>, programs: "curl"[] = []): void {
  Deno.test({ name, ignore: ignore || programs.some((program) => find(program) === undefined), fn });
}

const long = "/concurrent_stream?task=a:9:60000";

test("with --cert and --key the server speaks HTTP/2, and says https", async () => {
  await using tls = await secure();
  assertMatch(tls.server.stdout(), /^Listening on https:\/\/127\.0\.0\.1:\d+\/\n$/);
  const args = ["-o", `${tls.folder}/answer`, "-w", "%{http_version} %{http_code}"];
  assertEquals(await curl(tls, "/healthz", ...args), { code: 0, stdout: "2 200" });
}, ["curl"]);

test("by TLS /stream reaches its own /async_route, whose name the certificate need not have", async () => {
  await using tls = await secure();
  const response = await fetch(`${tls.server.origin}/stream?count=1`, { client: tls.client });
  assertMatch(await response.text(), /^step 1: 1 x 2 = 2, upstream answered 200 after /);
});

test("by HTTP/1.1 over TLS a WebSocket opens", async () => {
  await using tls = await secure();
  const { certificate, server: { port } } = tls;
  using conn = await Deno.connectTls({ port, hostname: "127.0.0.1", caCerts: [certificate.pem] });
  const request = upgrade("/ws", `Origin: https://localhost`).replace("localhost", `localhost:${port}`)
    .replace("https://localhost", `https://localhost:${port}`);
  await conn.write(new TextEncoder().encode(request.replaceAll("\n", "\r\n")));
  const buffer = new Uint8Array(1_024);
  const count = await conn.read(buffer);
  assertMatch(new TextDecoder().decode(buffer.subarray(0, count ?? 0)), /^HTTP\/1\.1 101 /);
});

test("over HTTP/2 a client that leaves ends its stream alone", async () => {
  await using tls = await secure();
  const [leaving, staying] = await Promise.all(
    [1, 2].map(() => open(`${tls.server.origin}${long}`, {}, tls.client)),
  );
  await Promise.all([leaving.until("a"), staying.until("a")]);
  assertEquals(await streams(tls), 2);
  leaving.leave();
  await until(async () => await streams(tls) === 1);
  staying.leave();
});

test("over HTTP/2 a drain says shutdown, and cuts a text stream: curl's exit 92", async () => {
  await using tls = await secure();
  const ndjson = await open(`${tls.server.origin}${long}&format=ndjson`, {}, tls.client);
  await ndjson.until("a");
  const file = `${tls.folder}/answer`;
  const text = curl(tls, long, "-o", file);
  await until(() => Deno.readTextFile(file).then((sent) => sent.includes("task a"), () => false));
  tls.server.kill("SIGTERM");
  assertMatch(await ndjson.rest(), /"shutdown"\}\}\n$/);
  assertEquals((await text).code, 92);
  assertEquals((await tls.server.status).code, 0);
}, ["curl"]);

test("over HTTP/2, which has no Host header, the rules of hosts hold", async () => {
  await using tls = await secure(["--allow-host", "weir.example"]);
  const status = async (...args: string[]) =>
    (await curl(tls, "/healthz", "-o", `${tls.folder}/answer`, "-w", "%{http_code}", ...args)).stdout;
  assertEquals(await status(), "200");
  assertEquals(await status("-H", "Host: weir.example"), "200");
  assertEquals(await status("-H", "Host: evil.example"), "421");
  assertEquals(await status("-H", "Host: weir.example.evil.example"), "421");
}, ["curl"]);

test("over HTTP/2 both :authority and a Host that differs from it have to be the server's", async () => {
  await using tls = await secure(["--allow-host", "weir.example"]);
  const session = http2.connect(tls.server.origin, { ca: tls.certificate.pem });
  const ask = async (headers: Record<string, string>) => {
    const request = session.request({ ":path": "/healthz", ...headers });
    const [answer] = await once(request, "response");
    request.resume();
    await once(request, "close");
    return answer[":status"];
  };
  assertEquals(await ask({ ":authority": "weir.example", host: "localhost" }), 200);
  assertEquals(await ask({ ":authority": "weir.example", host: "evil.example" }), 421);
  assertEquals(await ask({ ":authority": "evil.example", host: "weir.example" }), 421);
  assertEquals(await ask({ ":authority": "weir.example:443", host: "evil.example:443" }), 421);
  session.close();
  await once(session, "close");
});

test("over HTTP/2 a change by a page of another origin is refused, and one of the own is not", async () => {
  await using tls = await secure();
  const post = async (origin: string) => {
    const response = await fetch(`${tls.server.origin}/channels/demo`, {
      method: "POST",
      body: "1",
      headers: { Origin: origin },
      client: tls.client,
    });
    await response.body!.cancel();
    return response.status;
  };
  assertEquals(await post("https://evil.example"), 403);
  assertEquals(await post(tls.server.origin), 201);
});

test("the cookie of who signs in by TLS is Secure", async () => {
  const token = "t".repeat(32);
  await using tls = await secure([], { WEIR_TOKEN: token });
  const response = await fetch(`${tls.server.origin}/session`, {
    method: "POST",
    body: new URLSearchParams({ token }),
    redirect: "manual",
    client: tls.client,
  });
  await response.body?.cancel();
  const cookie = new RegExp(`^weir_${tls.server.port}=t+; .*; Secure$`);
  assertMatch(response.headers.get("set-cookie")!, cookie);
});

test("what does not speak TLS is no harm to the others", async () => {
  await using tls = await secure();
  for (let n = 0; n < 20; n++) {
    using conn = await Deno.connect({ port: tls.server.port, hostname: "127.0.0.1" });
    await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  }
  assertEquals(await streams(tls), 0);
  assertEquals(tls.server.stderr(), "");
});

test("SIGHUP gives new connections the new certificate, and open streams run on and are drained", async () => {
  await using tls = await secure();
  const reading = await open(`${tls.server.origin}/channels/demo?format=ndjson`, {}, tls.client);
  await until(async () => await streams(tls) === 1);
  const next = await makeCertificate(tls.folder, "weir");
  tls.server.kill("SIGHUP");
  await until(() => hasCertificate(tls, next));
  // While both listen, either gets a connection.
  await until(async () => {
    for (let times = 0; times < 30; times++) if (await hasCertificate(tls, tls.certificate)) return false;
    return true;
  });
  using client = trusting(next);
  const url = `${tls.server.origin}/channels/demo`;
  await (await fetch(url, { method: "POST", body: "after", client })).text();
  await reading.until('"after"');
  tls.server.kill("SIGTERM");
  assertMatch(await reading.rest(), /"shutdown"\}\}\n$/);
  assertEquals((await tls.server.status).code, 0);
  assertMatch(tls.server.stdout(), /\ncertificate read again: it is good until \d{4}-\S+Z\n$/);
  assertEquals(tls.server.stderr(), "");
});

test("no connection is refused while certificates are replaced", async () => {
  await using tls = await secure();
  const next = await makeCertificate(tls.folder, "next");
  const files = [next, tls.certificate].map(({ key, pem }) => [Deno.readTextFileSync(key), pem]);
  const options = { hostname: "127.0.0.1", port: tls.server.port, caCerts: [next.pem, tls.certificate.pem] };
  for (let n = 0; n < 6; n++) {
    const [key, pem] = files[n % 2];
    await Deno.writeTextFile(tls.certificate.key, key);
    await Deno.writeTextFile(tls.certificate.cert, pem);
    tls.server.kill("SIGHUP");
    for (let times = 0; times < 50; times++) {
      using conn = await Deno.connectTls(options);
      await conn.handshake();
    }
    await until(() => hasCertificate(tls, n % 2 === 0 ? next : tls.certificate));
  }
});

/** A WebSocket by TLS. */
async function socketOf({ certificate, server }: Secure, token = "") {
  const conn = await Deno.connectTls({
    hostname: "127.0.0.1",
    port: server.port,
    caCerts: [certificate.pem],
  });
  const request = upgrade("/ws", `Authorization: Bearer ${token}`).replaceAll("\n", "\r\n");
  await conn.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(1_024);
  await conn.read(buffer);
  return {
    conn,
    /** Bytes of the next frames. */
    async read(): Promise<number[]> {
      return [...buffer.subarray(0, await conn.read(buffer) ?? 0)];
    },
    [Symbol.dispose]: () => conn.close(),
  };
}

test("SIGHUP closes the WebSockets of the old certificate with 1001", async () => {
  await using tls = await secure();
  using socket = await socketOf(tls);
  await makeCertificate(tls.folder, "weir");
  tls.server.kill("SIGHUP");
  // A close frame (RFC 6455, 5.5.1).
  let frame: number[] = [];
  await until(async () => (frame = await socket.read())[0] === 0x88);
  assertEquals(frame.slice(2, 4), [0x03, 0xe9]);
});

test("SIGHUP with the certificate that is in use leaves its connections alone, whatever the token file says", async () => {
  const [stays, goes] = ["s".repeat(32), "g".repeat(32)];
  await using tls = await secure();
  const tokens = `${tls.folder}/.tokens`;
  const write = (...lines: string[]) => Deno.writeTextFile(tokens, lines.join(""), { mode: 0o600 });
  await write(`stays admin ${stays}\n`, `goes read ${goes}\n`);
  const { cert, key } = tls.certificate;
  const flags = ["--files", `${tls.folder}/files`, "--cert", cert, "--key", key, "--token-file", tokens];
  await using server = await start(flags, { cwd: tls.folder });
  using socket = await socketOf({ ...tls, server }, stays);
  await write(`stays admin ${stays}\n`);
  server.kill("SIGHUP");
  const status = async () => {
    const headers = { Authorization: `Bearer ${goes}` };
    const response = await fetch(`${server.origin}/sensors`, { headers, client: tls.client });
    await response.body?.cancel();
    return response.status;
  };
  await until(async () => await status() === 401);
  await write("half");
  server.kill("SIGHUP");
  await until(() => server.stderr().includes("still with what was read before"));
  // "hi", masked with nothing (RFC 6455, 5.2): it is answered.
  await socket.conn.write(new Uint8Array([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
  assertEquals((await socket.read())[0], 0x81);
});

const broken: [what: string, change: (certificate: MadeCertificate) => Promise<void>, line: RegExp][] = [
  ["is there half", ({ cert, pem }) => Deno.writeTextFile(cert, pem.slice(0, pem.length / 2)), /as PEM: /],
  ["is empty", ({ cert }) => Deno.writeTextFile(cert, ""), /as PEM: No certificates found/],
  ["is gone", ({ cert }) => Deno.remove(cert), /--cert must be a file that can be read: /],
  [
    "has another's key",
    async ({ cert, key }) => {
      const other = await makeCertificate(dirname(cert), "other");
      await Deno.rename(other.key, key);
    },
    /as PEM: keys may not be consistent/,
  ],
];

for (const [what, change, line] of broken) {
  test(`SIGHUP changes nothing when the certificate ${what}: one line says so`, async () => {
    await using tls = await secure();
    await change(tls.certificate);
    tls.server.kill("SIGHUP");
    await until(() => tls.server.stderr().includes("\n"));
    assertMatch(tls.server.stderr(), /^.*still with what was read before: .*\n$/);
    assertMatch(tls.server.stderr(), line);
    assertEquals(await hasCertificate(tls, tls.certificate), true);
  });
}

test("a second server is refused the port of one with a certificate", async () => {
  await using tls = await secure();
  const { cert, key } = tls.certificate;
  const args = ["--files", "files", "--port", String(tls.server.port), "--cert", cert, "--key", key];
  const { code, stderr } = await outcome(args, { cwd: tls.folder });
  assertEquals(code, 1);
  assertMatch(stderr, /cannot listen on 127\.0\.0\.1 port \d+: .*in use/);
});

test("a key that clients could read is refused", async () => {
  await using tls = await secure();
  const { cert, key } = tls.certificate;
  const { code, stderr } = await outcome(["--cert", cert, "--key", key], { cwd: tls.folder });
  assertEquals(code, 2);
  assertMatch(stderr, /^--key .*weir\.key: must not be in .*, which clients can read\n$/);
});

test("--check says all that is wrong, a line each, and exits 2", async () => {
  await using tls = await secure();
  const { cert } = tls.certificate;
  const args = ["--check", "--port", "x", "--files", "none", "--token-file", "none", "--sensors", "none"];
  const result = await outcome([...args, "--cert", cert, "--key", cert], { cwd: tls.folder });
  assertEquals([result.code, result.stdout], [2, ""]);
  const names = result.stderr.trimEnd().split("\n").map((line) => line.split(" ", 1)[0]);
  assertEquals(names, ["--port", "--files", "--token-file", "--cert", "--sensors"]);
});

test("--check says that a certificate has expired; at the start that is a warning", async () => {
  await using tls = await secure();
  const { cert, key } = tls.certificate;
  const flags = ["--files", "files", "--cert", cert, "--key", key];
  // In the server's own process it is three days later.
  const clock = `${tls.folder}/clock.ts`;
  await Deno.writeTextFile(clock, "const { now } = Date; Date.now = () => now() + 3 * 86_400_000;");
  const options = { cwd: tls.folder, run: ["--preload", clock] };
  const { code, stderr } = await outcome([...flags, "--check"], options);
  assertEquals(code, 2);
  assertMatch(stderr, /^--cert must be a certificate whose time it is: it has expired at \d{4}-\S+Z\n$/);
  await using server = await start(flags, options);
  await until(() => server.stderr().includes("\n"));
  assertMatch(server.stderr(), /^\S+Z warning - the certificate has expired at \S+Z\n$/);
});

test("--check and the start say which addresses --allow-net does not cover, and exit 2", async () => {
  await using tls = await secure();
  const { cert, key } = tls.certificate;
  const denied = ["127.0.0.1:8000", "127.0.0.1:9102", "127.0.0.1:0"];
  const options = { cwd: tls.folder, run: [`--deny-net=${denied}`] };
  const flags = ["--files", "files", "--cert", cert, "--key", key, "--admin", "9102"];
  for (const args of [flags, ["--check", ...flags]]) {
    const { code, stderr } = await outcome(args, options);
    const lines = ["--host", "--admin", "--cert"].map((flag, i) =>
      `${flag} must be with an --allow-net of deno run that covers ${denied[i]}\n`
    );
    assertEquals([code, stderr], [2, lines.join("")]);
  }
});

test("--check exits 0 when nothing is wrong, and listens nowhere", async () => {
  await using tls = await secure();
  const { cert, key } = tls.certificate;
  const args = ["--check", "--files", "files", "--cert", cert, "--key", key];
  assertEquals(await outcome([...args, "--port", String(tls.server.port)], { cwd: tls.folder }), {
    code: 0,
    stdout: "the flags, and the files that they name, are good\n",
    stderr: "",
  });
});
