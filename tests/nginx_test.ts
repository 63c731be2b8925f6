import { assertEquals, assertMatch } from "@std/assert";
import { granted } from "./support/granted.ts";
import { find } from "./support/programs.ts";
import { serve, until } from "./support/server.ts";
import { upgrade } from "./support/socket_client.ts";
import { exchange, send } from "./support/wire.ts";

const program = granted.run && granted.server ? find("nginx") : undefined;

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test({
  name: "through the README's nginx a page reads, posts and opens /ws",
  ignore: program === undefined,
  async fn() {
    await using server = await serve({ allowHosts: ["weir.example"], trustProxy: true });
    const { folder } = server;
    const port = freePort();
    const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
    const [, block] = /```nginx\n(.*?)```/s.exec(readme)!;
    const http = block.replace("listen 80", `listen 127.0.0.1:${port}`).replace(":8000", `:${server.port}`);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
    await Deno.writeTextFile(
      `${folder}/nginx.conf`,
      `pid ${folder}/pid; error_log ${folder}/error; daemon off; events {}\n` +
        `http { access_log off; ${temporary}\n${http} }`,
    );
    const args = ["-e", `${folder}/error`, "-c", `${folder}/nginx.conf`];
    await using nginx = new Deno.Command(program!, { args, stdout: "null", stderr: "null" }).spawn();
    await until(() =>
      Deno.connect({ port, hostname: "127.0.0.1" }).then((conn) => (conn.close(), true), () => false)
    );
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
