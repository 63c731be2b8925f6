import { assertEquals, assertMatch } from "@std/assert";
import { makeCertificate } from "./support/certificates.ts";
import { granted } from "./support/granted.ts";
import { start } from "./support/process.ts";
import { find } from "./support/programs.ts";
import { until } from "./support/server.ts";
import { bearer, token, tokenLines } from "./support/tokens.ts";
import { open } from "./support/wire.ts";

const ignore = !granted.run || Deno.build.os === "windows";

/** A folder with a token file, hidden from requests, as it is also the root of /files. */
async function folder(): Promise<
  AsyncDisposable & { cwd: string; write(lines: readonly string[]): Promise<void> }
> {
  const cwd = await Deno.makeTempDir({ prefix: "weir-doors-" });
  const write = async (lines: readonly string[]) => {
    await Deno.writeTextFile(`${cwd}/.new`, lines.join("\n") + "\n", { mode: 0o600 });
    await Deno.rename(`${cwd}/.new`, `${cwd}/.tokens`);
  };
  await write(tokenLines);
  return { cwd, write, [Symbol.asyncDispose]: () => Deno.remove(cwd, { recursive: true }) };
}

const statusOf = async (url: string, text: string) => {
  const response = await fetch(url, { headers: bearer(text) });
  await response.body?.cancel();
  return response.status;
};

Deno.test({
  name: "SIGHUP reads the token file again: who is not in it any more is told, and the others notice nothing",
  ignore,
  async fn() {
    await using there = await folder();
    await using server = await start(["--token-file", ".tokens"], there);
    const watch = (text: string) => open(`${server.origin}/channels/demo?format=ndjson`, bearer(text));
    const [gone, stays] = [await watch(token.reader), await watch(token.admin)];
    await there.write([`admin admin ${token.admin}`, `new read ${token.wrong}`]);
    server.kill("SIGHUP");
    assertEquals(await gone.rest(), '{"event":"end","data":{"reason":"revoked"}}\n');
    const urls = `${server.origin}/sensors`;
    const statuses = [token.reader, token.admin, token.wrong].map((text) => statusOf(urls, text));
    assertEquals(await Promise.all(statuses), [401, 200, 200]);
    const body = JSON.stringify("hello");
    await (await fetch(`${server.origin}/channels/demo`, {
      method: "POST",
      headers: bearer(token.admin),
      body: body,
    }))
      .text();
    await stays.until("hello");
    stays.leave();
    assertEquals(server.stdout().split("\n").slice(1), ["token file read again: 2 tokens", ""]);
    assertEquals(server.stderr(), "");
  },
});

Deno.test({
  name: "a token file that is replaced half-way changes nothing, and is one line without its text",
  ignore,
  async fn() {
    await using there = await folder();
    await using server = await start(["--token-file", ".tokens"], there);
    const half = `admin admin ${token.admin}\nnew read ${token.wrong}`;
    await Deno.writeTextFile(`${there.cwd}/.tokens`, half);
    server.kill("SIGHUP");
    await until(() => server.stderr().includes("\n"));
    assertMatch(
      server.stderr(),
      /^\S+Z error - still with what was read before: --token-file .*tokens: line 2 must end in a line.*\n$/,
    );
    assertEquals([token.admin, token.wrong].filter((text) => server.stderr().includes(text)), []);
    assertEquals(await statusOf(`${server.origin}/sensors`, token.reader), 200);
    assertEquals(await statusOf(`${server.origin}/sensors`, token.wrong), 401);
  },
});

Deno.test({
  name: "without a token file SIGHUP ends the server, as the closing of its terminal should",
  ignore,
  async fn() {
    await using there = await folder();
    await using server = await start([], { ...there, env: { WEIR_TOKEN: token.admin } });
    assertEquals(await statusOf(`${server.origin}/sensors`, token.admin), 200);
    assertEquals(await statusOf(`${server.origin}/sensors`, token.reader), 401);
    server.kill("SIGHUP");
    assertEquals((await server.status).signal, "SIGHUP");
  },
});

const linkings = [
  ["link of --follow-links", Deno.symlink, ["--follow-links"]],
  ["hard link", Deno.link, []],
] as const;
for (const [kind, link, more] of linkings) {
  Deno.test({
    name: `no ${kind} leads to the files of tokens and of the key, not before they are read either`,
    ignore: ignore || find("openssl") === undefined,
    async fn() {
      await using there = await folder();
      const { cwd } = there;
      const { cert, key } = await makeCertificate(cwd, "weir");
      for (const name of ["files", "files/a", "logs"]) await Deno.mkdir(`${cwd}/${name}`);
      await Deno.writeTextFile(`${cwd}/files/a/plain`, "content");
      await Deno.symlink(cwd, `${cwd}/files/folder`);
      const flags = [
        "--token-file",
        ".tokens",
        "--cert",
        cert,
        "--key",
        key,
        "--files",
        "files",
        "--logs",
        "logs",
      ];
      await using server = await start([...flags, ...more], there);
      const client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(cert)] });
      const ask = async (path: string) => {
        const response = await fetch(server.origin + path, { headers: bearer(token.reader), client });
        return [response.status, await response.text()] as const;
      };
      // Others are in its place now.
      await there.write([...tokenLines, `new read ${token.wrong}`]);
      for (const [to, name] of [[`${cwd}/.tokens`, "tokens"], [key, "key"]]) {
        for (const path of [`files/a/${name}`, `logs/${name}.log`]) {
          await link(to, `${cwd}/${path}`);
        }
      }
      for (const name of ["tokens", "key"]) {
        for (const path of [`/files/a/${name}`, `/stream/file?file=a/${name}`, "/files/folder/weir.key"]) {
          assertEquals((await ask(path))[0], 404, path);
        }
        const denied = [403, `{"error":"the log ${name}.log may not be read"}\n`] as const;
        assertEquals(await ask(`/logs/${name}.log?follow=false`), denied);
      }
      const [status, zip] = await ask("/files/a/?zip");
      assertEquals([status, zip.includes("plain"), zip.includes("PRIVATE KEY")], [200, true, false]);
      client.close();
    },
  });
}

Deno.test({
  name: "once it serves, the environment, which may hold a token, cannot be read any more",
  ignore,
  async fn() {
    await using there = await folder();
    // In the server's own process, which tells by its stdout.
    const spy = `${there.cwd}/spy.ts`;
    await Deno.writeTextFile(
      spy,
      `Deno.addSignalListener("SIGUSR2", () => {
        try {
          console.log(Deno.env.get("WEIR_TOKEN"));
        } catch ({ name }) {
          console.log(name, Deno.permissions.querySync({ name: "env", variable: "WEIR_TOKEN" }).state);
        }
      });`,
    );
    const env = { WEIR_TOKEN: token.admin };
    await using server = await start([], { ...there, env, run: ["--preload", spy] });
    assertEquals(await statusOf(`${server.origin}/sensors`, token.admin), 200);
    server.kill("SIGUSR2");
    await until(() => server.stdout().trimEnd().includes("\n"));
    assertMatch(server.stdout(), /\nNotCapable (prompt|denied)\n$/);
  },
});
