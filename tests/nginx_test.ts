import { assertEquals, assertMatch } from "@std/assert";
import { valueOf } from "../lib/channels/value.ts";
import { makeCertificate, trusting } from "./support/certificates.ts";
import { granted } from "./support/granted.ts";
import { find } from "./support/programs.ts";
import { serve, until } from "./support/server.ts";
import { upgrade } from "./support/socket_client.ts";
import { guardOf, token } from "./support/tokens.ts";
import { exchange, open, send } from "./support/wire.ts";

const program = granted.run && granted.server ? find("nginx") : undefined;

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** The README's blocks for nginx: the server, and what it listens by with TLS. */
async function blocks(): Promise<string[]> {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  return [...readme.matchAll(/```nginx\n(.*?)```/gs)].map(([, block]) => block);
}

/** Starts nginx with these lines of its `http` block, and waits until it listens. */
async function startNginx(folder: string, port: number, http: string): Promise<Deno.ChildProcess> {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `pid ${folder}/pid; error_log ${folder}/error; daemon off; events {}\n` +
      `http { access_log off; ${temporary}\n${http} }`,
  );
  const args = ["-e", `${folder}/error`, "-c", `${folder}/nginx.conf`];
  const nginx = new Deno.Command(program!, { args, stdout: "null", stderr: "null" }).spawn();
  await until(() =>
    Deno.connect({ port, hostname: "127.0.0.1" }).then((conn) => (conn.close(), true), () => false)
  );
  return nginx;
}

Deno.test({
  name: "through the README's nginx a page reads, posts and opens /ws",
  ignore: program === undefined,
  async fn() {
    await using server = await serve({ allowHosts: ["weir.example"], trustProxy: true });
    const { folder } = server;
    const port = freePort();
    const [block] = await blocks();
    const http = block.replace("listen 80", `listen 127.0.0.1:${port}`).replace(":8000", `:${server.port}`);
    await using nginx = await startNginx(folder, port, http);
    const host = `weir.example:${port}`;
    const ask = (line: string, rest: string) =>
      exchange(port, `${line} HTTP/1.1\nHost: ${host}\nConnection: close\n${rest}`);
    assertMatch(await ask("GET /healthz", "\n"), /^HTTP\/1\.1 200 [^]*"status":"ok"/);
    // As a browser that sends no Sec-Fetch-*.
    const own = `Origin: http://${host}\n`;
    assertMatch(await ask("POST /channels/demo", `${own}Content-Length: 1\n\n1`), /^HTTP\/1\.1 201 /);
    const foreign = "Origin: http://evil.example\n";
    assertMatch(await ask("POST /channels/demo", `${foreign}Content-Length: 1\n\n1`), /^HTTP\/1\.1 403 /);
    using socket = await send(port, upgrade("/ws", own.trim()).replace("Host: localhost", `Host: ${host}`));
    const buffer = new Uint8Array(1_024);
    const count = await socket.read(buffer);
    assertMatch(new TextDecoder().decode(buffer.subarray(0, count ?? 0)), /^HTTP\/1\.1 101 /);
    nginx.kill("SIGTERM");
    assertEquals((await nginx.status).code, 0);
  },
});

Deno.test({
  name: "through the README's nginx with TLS a browser signs in, by a Secure cookie, and reads a stream",
  ignore: program === undefined || find("openssl") === undefined,
  async fn() {
    const guard = guardOf();
    await using server = await serve({ allowHosts: ["weir.example"], trustProxy: true, guard });
    const { folder } = server;
    const port = freePort();
    const certificate = await makeCertificate(folder, "weir");
    const [block, secure] = await blocks();
    const http = block.replace(/ *listen 80;\n/, secure).replace("listen 443", `listen 127.0.0.1:${port}`)
      .replace("/etc/weir/weir.crt", certificate.cert).replace("/etc/weir/weir.key", certificate.key)
      .replace(":8000", `:${server.port}`);
    await using nginx = await startNginx(folder, port, http);
    using client = trusting(certificate);
    const url = `https://localhost:${port}`;
    const session = await fetch(`${url}/session`, {
      method: "POST",
      headers: { Origin: url },
      body: new URLSearchParams({ token: token.reader }),
      redirect: "manual",
      client,
    });
    await session.body?.cancel();
    const cookie = session.headers.get("set-cookie") ?? "";
    assertMatch(cookie, /; Secure$/);
    const [pair] = cookie.split(";");
    const reading = await open(`${url}/channels/demo?format=sse`, { Cookie: pair }, client);
    await server.store.publish("demo", [valueOf("by TLS")]);
    await reading.until("by TLS");
    reading.leave();
    nginx.kill("SIGTERM");
    assertEquals((await nginx.status).code, 0);
  },
});
