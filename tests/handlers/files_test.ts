import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { assertSameBytes, makeFifo, overwrite, put, randomBytes, settled } from "../support/files.ts";
import { quote } from "../../lib/stream/errors.ts";
import { granted } from "../support/granted.ts";
import { askFrom, serve, type TestServer, until } from "../support/server.ts";
import { exchange, send } from "../support/wire.ts";

const ignore = !granted.server;

/** A server whose root has these files. */
async function serveFiles(
  contents: Record<string, string | Uint8Array>,
  options?: Parameters<typeof serve>[0],
): Promise<TestServer & { root: string }> {
  const server = await serve(options);
  const root = `${server.folder}/files`;
  for (const [name, content] of Object.entries(contents)) await put(`${root}/${name}`, content);
  return Object.assign(server, { root });
}

async function get(url: string, headers: HeadersInit = {}, method = "GET") {
  const response = await fetch(url, { headers, method, redirect: "manual" });
  return { status: response.status, headers: response.headers, bytes: await response.bytes() };
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Makes a sparse file: more bytes than the buffers of both ends hold. */
async function putHole(path: string, size = 100_000_000): Promise<void> {
  await Deno.writeFile(path, new Uint8Array());
  await Deno.truncate(path, size);
}

for (
  const [path, how] of [
    ["/files/sub/%C3%A9.html", "inline"],
    ["/stream/file?file=sub/%C3%A9.html", "inline"],
    ["/async_download?file=sub/%C3%A9.html", "attachment"],
  ]
) {
  Deno.test({ name: `${path} sends the file, ${how}`, ignore }, async () => {
    await using server = await serveFiles({ "sub/é.html": "<p>hi" });
    const { status, headers, bytes } = await get(server.origin + path);
    assertEquals([status, textOf(bytes)], [200, "<p>hi"]);
    assertEquals(
      headers.get("content-disposition"),
      `${how}; filename="_.html"; filename*=UTF-8''%C3%A9.html`,
    );
    assertEquals(headers.get("content-type"), "text/html; charset=UTF-8");
    assertEquals(headers.get("content-length"), "5");
    assertEquals(headers.get("accept-ranges"), "bytes");
    assertEquals(headers.get("last-modified"), settled.toUTCString());
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("content-security-policy"), "sandbox; frame-ancestors 'self'");
    assertMatch(headers.get("etag")!, /^"[^"]+"$/);
  });

  Deno.test({ name: `${path} sends a range`, ignore }, async () => {
    await using server = await serveFiles({ "sub/é.html": "<p>hi" });
    const { status, bytes } = await get(server.origin + path, { range: "bytes=1-2" });
    assertEquals([status, textOf(bytes)], [206, "p>"]);
  });
}

Deno.test({ name: "a file that grows while it is sent has the length that it had", ignore }, async () => {
  const content = randomBytes(20_000_000);
  await using server = await serveFiles({ "a.bin": content });
  const response = await fetch(`${server.origin}/files/a.bin`);
  const reader = response.body!.getReader();
  const chunks = [(await reader.read()).value!];
  await Deno.writeFile(`${server.root}/a.bin`, randomBytes(1_000_000), { append: true });
  for (let result = await reader.read(); !result.done; result = await reader.read()) {
    chunks.push(result.value);
  }
  assertSameBytes(await new Response(new Blob(chunks)).bytes(), content);
});

Deno.test({ name: "a file that shrinks while it is sent resets the connection", ignore }, async () => {
  await using server = await serveFiles({});
  await putHole(`${server.root}/a.bin`);
  const response = await fetch(`${server.origin}/files/a.bin`);
  assertEquals(response.headers.get("content-length"), "100000000");
  const reader = response.body!.getReader();
  await reader.read();
  await Deno.truncate(`${server.root}/a.bin`, 1_000);
  await assertRejects(async () => {
    while (!(await reader.read()).done);
  });
  await until(() => server.app.limits.downloads.used === 0);
});

Deno.test(
  { name: "a file that is overwritten in place while it is sent resets the connection", ignore },
  async () => {
    await using server = await serveFiles({});
    await putHole(`${server.root}/a.bin`, 30_000_000);
    const response = await fetch(`${server.origin}/stream/file?file=a.bin`);
    const reader = response.body!.getReader();
    await reader.read();
    await overwrite(`${server.root}/a.bin`, 30_000_000);
    await assertRejects(async () => {
      while (!(await reader.read()).done);
    });
    await until(() => server.app.limits.downloads.used === 0);
    const line = 'GET /stream/file: the download of "a.bin" was cut: it became shorter, or was overwritten';
    await until(() => server.reports().includes(line));
  },
);

Deno.test({ name: "a download that is cut five times resumes to the same bytes", ignore }, async () => {
  const content = randomBytes(12_000_000);
  await using server = await serveFiles({ "a.bin": content });
  let cuts = 0;
  using proxy = cuttingProxy(server.port, (sent) => cuts < 5 && sent > 2_000_000 && ++cuts > 0);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let got = 0, etag = "";
  while (got < content.length) {
    const resume: HeadersInit = got > 0 ? { range: `bytes=${got}-`, "if-range": etag } : {};
    const response = await fetch(`http://127.0.0.1:${proxy.port}/async_download?file=a.bin`, {
      headers: resume,
    });
    assertEquals(response.status, got > 0 ? 206 : 200);
    etag = response.headers.get("etag")!;
    try {
      for await (const chunk of response.body!) {
        parts.push(chunk);
        got += chunk.length;
      }
    } catch { /* the cut */ }
  }
  assertEquals(cuts, 5);
  assertSameBytes(await new Response(new Blob(parts)).bytes(), content);
});

Deno.test({ name: "two clients with eight segments each get the same bytes", ignore }, async () => {
  const content = randomBytes(8_000_003);
  await using server = await serveFiles({ "a.bin": content });
  const segment = Math.ceil(content.length / 8);
  const download = async (path: string) => {
    const parts = await Promise.all(Array.from({ length: 8 }, async (_, i) => {
      const range = `bytes=${i * segment}-${(i + 1) * segment - 1}`;
      const { status, bytes } = await get(server.origin + path, { range });
      assertEquals(status, 206);
      return bytes;
    }));
    assertSameBytes(await new Response(new Blob(parts)).bytes(), content);
  };
  await Promise.all([download("/files/a.bin"), download("/stream/file?file=a.bin")]);
});

/** A root with what must not be seen, and ways to it. */
async function serveSecrets() {
  const server = await serveFiles({
    "a.txt": "inside",
    "sub/b.txt": "inside",
    ".hidden": "secret",
    ".git/config": "secret",
    "../outside/secret.txt": "secret",
  });
  const { root } = server;
  await Deno.symlink("../outside", `${root}/out`);
  await Deno.symlink("../outside/secret.txt", `${root}/out.txt`);
  await Deno.symlink(".hidden", `${root}/shown.txt`);
  await Deno.symlink("loop", `${root}/loop`);
  await Deno.symlink("/dev/zero", `${root}/zero`);
  await Deno.symlink("sub/b.txt", `${root}/in.txt`);
  return server;
}

Deno.test({ name: "a path that leads out of the root, or to a hidden name, is 404", ignore }, async () => {
  await using server = await serveSecrets();
  const paths = [
    "out/secret.txt",
    "out/",
    "out",
    "out.txt",
    "shown.txt",
    "loop",
    "zero",
    ".hidden",
    ".git/config",
    "%2ehidden",
    "../outside/secret.txt",
    "sub/../a.txt",
    "%2e%2e/outside/secret.txt",
    "sub/%2E%2e/a.txt",
    "./a.txt",
    "..",
    "../",
    "../healthz",
    "%2e%2E/",
    "sub/..",
    "sub/.%2e/../../async_route",
    "..%2foutside%2fsecret.txt",
    "sub%2fb.txt",
    "sub\\b.txt",
    "..\\outside\\secret.txt",
    "..%5Coutside%5Csecret.txt",
    "a.txt%00",
    "%00",
    "/a.txt",
    "//",
    "a.txt/",
    "a.txt/x",
    "sub//b.txt",
    "%ff",
    "x".repeat(300),
    server.root + "/a.txt",
  ];
  for (const path of paths) {
    const text = await exchange(
      server.port,
      `GET /files/${path} HTTP/1.1\nHost: 127.0.0.1:${server.port}\nConnection: close\n\n`,
    );
    assertMatch(text, /^HTTP\/1.1 404 /, path);
    assertMatch(
      text.split("\r\n\r\n")[1],
      /^{"error":"the path must be that of a (route|file or folder): current value is .*"}\n$/,
      path,
    );
  }
});

Deno.test(
  { name: "a file parameter that leads out of the root, or to a hidden name, is 404", ignore },
  async () => {
    await using server = await serveSecrets();
    const { root } = server;
    const names = [
      "../outside/secret.txt",
      "/etc/passwd",
      `${root}/a.txt`,
      "out.txt",
      ".hidden",
      "..\\outside\\secret.txt",
      "a\0",
      "sub",
    ];
    for (const name of names) {
      for (const route of ["async_download", "stream/file"]) {
        const { status, bytes } = await get(`${server.origin}/${route}?file=${encodeURIComponent(name)}`);
        const error = `the path must be that of a file or folder: current value is ${quote(name)}`;
        assertEquals([status, JSON.parse(textOf(bytes))], [404, { error }], name);
      }
    }
  },
);

Deno.test(
  { name: "a name with a backslash is served, from its own link in the page as well", ignore },
  async () => {
    await using server = await serveFiles({ "a\\b": "1", "x\\y/z..\\w.txt": "2" });
    assertEquals(textOf((await get(`${server.origin}/async_download?file=a%5Cb`)).bytes), "1");
    const page = textOf((await get(`${server.origin}/files/`, { accept: "text/html" })).bytes);
    const [file, folder] = [...page.matchAll(/href="([^"]+)"/g)].map(([, link]) => link);
    assertEquals(textOf((await get(`${server.origin}/files/${file}`)).bytes), "1");
    const { entries: [{ name }] } = JSON.parse(textOf((await get(`${server.origin}/files/${folder}`)).bytes));
    assertEquals(name, "z..\\w.txt");
  },
);

Deno.test({ name: "a symlink that stays in the root is followed", ignore }, async () => {
  await using server = await serveSecrets();
  assertEquals(textOf((await get(`${server.origin}/files/in.txt`)).bytes), "inside");
});

Deno.test(
  { name: "with --follow-links links lead anywhere, and hidden names stay hidden", ignore },
  async () => {
    await using server = await serveFiles({
      "config/..2024_05/key": "value",
      "../outside/secret.txt": "outside",
      "a.txt": "",
    }, { followLinks: true });
    const { root } = server;
    // As Kubernetes mounts a ConfigMap.
    await Deno.symlink("..2024_05", `${root}/config/..data`);
    await Deno.symlink("..data/key", `${root}/config/key`);
    await Deno.symlink("../outside", `${root}/out`);
    await Deno.symlink("/dev/zero", `${root}/zero`);
    const text = async (path: string) => textOf((await get(server.origin + path)).bytes);
    assertEquals(await text("/files/config/key"), "value");
    assertEquals(await text("/stream/file?file=out/secret.txt"), "outside");
    const namesIn = async (path: string) =>
      JSON.parse(await text(path)).entries.map(({ name }: { name: string }) => name);
    assertEquals(await namesIn("/files/"), ["a.txt", "config", "out"]);
    assertEquals(await namesIn("/files/config/"), ["key"]);
    assertEquals(await namesIn("/files/out/"), ["secret.txt"]);
    for (const path of ["config/..data/key", "config/..2024_05/key", "zero", "../outside/secret.txt"]) {
      const target = `/files/${path.replaceAll("../", "%2e%2e/")}`;
      assertEquals((await get(server.origin + target)).status, 404, path);
    }
  },
);

Deno.test({ name: "a response that never meets a network keeps its chunks", ignore }, async () => {
  const content = randomBytes(1_000_000);
  await using server = await serveFiles({ "a.bin": content });
  const response = await server.server.fetch(new Request(`${server.origin}/files/a.bin`));
  assertSameBytes(await response.bytes(), content);
});

Deno.test({ name: "a missing or empty file parameter is 400 and named", ignore }, async () => {
  await using server = await serveFiles({});
  for (const path of ["/async_download", "/async_download?file=", "/stream/file"]) {
    const { status, bytes } = await get(server.origin + path);
    assertEquals(status, 400);
    assertMatch(textOf(bytes), /^{"error":"file must be given/);
  }
});

Deno.test({ name: "a FIFO in the root is 404 and blocks no request", ignore: !granted.run }, async () => {
  await using server = await serveFiles({});
  await makeFifo(`${server.root}/fifo`);
  const asked = await Promise.all(Array.from({ length: 40 }, () => get(`${server.origin}/files/fifo`)));
  assertEquals(new Set(asked.map(({ status }) => status)), new Set([404]));
});

Deno.test({
  name: "a process that has too many files open answers 503 with Retry-After",
  ignore: !granted.run,
}, async () => {
  const folder = await Deno.makeTempDir({ prefix: "weir-test-" });
  const lib = (path: string) => JSON.stringify(new URL(`../../lib/${path}`, import.meta.url).href);
  const code = `
    import { find, open } from ${lib("files/root.ts")};
    import { Opens } from ${lib("opens.ts")};
    const opens = new Opens(), opened = [];
    for (;;) {
      try {
        opened.push(await open(await find(${JSON.stringify(folder)}, ["open.ts"]), opens));
      } catch (error) {
        console.log(error.status, error.options?.headers["Retry-After"]);
        break;
      }
    }`;
  await Deno.writeTextFile(`${folder}/open.ts`, code);
  const args = ["-c", `ulimit -n 200; exec "$0" run --no-check --allow-read "$1"`, Deno.execPath()];
  const { stdout } = await new Deno.Command("sh", { args: [...args, `${folder}/open.ts`] }).output();
  assertEquals(textOf(stdout), "503 1\n");
  await Deno.remove(folder, { recursive: true });
});

const evil = '<img src=x onerror="alert(1)">&\'.txt';

Deno.test({ name: "a folder is listed as JSON", ignore }, async () => {
  await using server = await serveFiles({ [evil]: "12", "sub/x": "", "z 日本.txt": "123" });
  const { headers, bytes } = await get(`${server.origin}/files/`);
  assertEquals(headers.get("content-type"), "application/json");
  assertMatch(headers.get("vary")!, /\bAccept$/);
  const { path, entries, truncated } = JSON.parse(textOf(bytes));
  assertEquals([path, truncated], ["", false]);
  assertEquals(entries.map(({ name, type, size }: Record<string, unknown>) => [name, type, size]), [
    [evil, "file", 2],
    ["sub", "directory", null],
    ["z 日本.txt", "file", 3],
  ]);
  assertEquals(entries[0].time, settled.toISOString());
});

Deno.test(
  { name: "a folder is a page for a browser, with escaped names and links that work", ignore },
  async () => {
    await using server = await serveFiles({ [evil]: "12", "sub/x": "", "z 日本.txt": "123" });
    const page = await get(`${server.origin}/files/`, {
      accept: "text/html,application/xhtml+xml,*/*;q=0.8",
    });
    assertEquals(page.headers.get("content-type"), "text/html; charset=utf-8");
    assertEquals(page.headers.get("x-content-type-options"), "nosniff");
    assertMatch(page.headers.get("content-security-policy")!, /sandbox/);
    const html = textOf(page.bytes);
    assert(!html.includes("<img"));
    const links = [...html.matchAll(/href="([^"]+)"/g)];
    assertEquals(links.length, 4);
    for (const [, link] of links) {
      assertEquals((await get(new URL(link, `${server.origin}/files/`).href)).status, 200, link);
    }
  },
);

Deno.test({ name: "the page of a folder links to the names that follow", ignore }, async () => {
  const names = ["&", "a b", "c", "é", "ü?"];
  await using server = await serveFiles(Object.fromEntries(names.map((name) => [name, ""])), {
    limits: { listing: 2 },
  });
  const shown: string[] = [];
  let url: string | undefined = `${server.origin}/files/`;
  while (url !== undefined) {
    const html = textOf((await get(url, { accept: "text/html" })).bytes);
    shown.push(...[...html.matchAll(/href="([^"?]+)"/g)].map(([, link]) => decodeURIComponent(link)));
    const next = /href="([^"]+)" rel="next"/.exec(html);
    url = next === null ? undefined : new URL(next[1], url).href;
  }
  assertEquals(shown, names);
});

Deno.test({ name: "a folder as JSON goes on after a name", ignore }, async () => {
  await using server = await serveFiles({ a: "", b: "", c: "", d: "" }, { limits: { listing: 2 } });
  const { bytes } = await get(`${server.origin}/files/?after=a`);
  const { entries, truncated, next } = JSON.parse(textOf(bytes));
  assertEquals([entries.map(({ name }: { name: string }) => name), truncated, next], [["b", "c"], true, "c"]);
});

Deno.test({ name: "a folder without its slash redirects to itself, with the query", ignore }, async () => {
  await using server = await serveFiles({ "a b/c": "" });
  for (const [from, to] of [["/files", "/files/"], ["/files/a%20b?x=1", "/files/a%20b/?x=1"]]) {
    const { status, headers } = await get(server.origin + from);
    assertEquals([status, headers.get("location")], [301, to]);
  }
});

Deno.test({ name: "a listing is 406 for a client that takes neither JSON nor HTML", ignore }, async () => {
  await using server = await serveFiles({});
  assertEquals((await get(`${server.origin}/files/`, { accept: "image/png" })).status, 406);
});

Deno.test({ name: "a listing is JSON for a client that prefers it, with parameters", ignore }, async () => {
  await using server = await serveFiles({});
  const accept = "application/json;charset=utf-8, text/html;q=0.9";
  const { headers } = await get(`${server.origin}/files/`, { accept });
  assertEquals(headers.get("content-type"), "application/json");
});

Deno.test({ name: "HEAD of a listing has its type, and no length (RFC 9110, 8.6)", ignore }, async () => {
  await using server = await serveFiles({});
  const { status, headers } = await get(`${server.origin}/files/`, {}, "HEAD");
  assertEquals([status, headers.get("content-type"), headers.get("content-length")], [
    200,
    "application/json",
    null,
  ]);
});

Deno.test({ name: "a download holds its permit until it has ended", ignore }, async () => {
  await using server = await serveFiles({}, { limits: { downloads: 1 } });
  await putHole(`${server.root}/a.bin`);
  const url = `${server.origin}/files/a.bin`;
  const first = await fetch(url);
  assertEquals((await get(url)).status, 503);
  await first.body!.cancel();
  await until(() => server.app.limits.downloads.used === 0);
  assertEquals((await get(url, { range: "bytes=0-0" })).status, 206);
});

Deno.test({ name: "with --client-share one client leaves downloads to others", ignore }, async () => {
  await using server = await serveFiles({}, { clientShare: 25, limits: { downloads: 8 } });
  await putHole(`${server.root}/a.bin`, 1_000_000);
  const greedy = await Promise.all(
    Array.from({ length: 8 }, () => askFrom("10.0.0.1", server, "/files/a.bin")),
  );
  const other = await askFrom("10.0.0.2", server, "/files/a.bin");
  assertEquals(greedy.map(({ status }) => status).sort(), [200, 200, 200, 200, 503, 503, 503, 503]);
  assertEquals(other.status, 200);
  for (const response of [...greedy, other]) await response.body!.cancel();
  assertEquals(server.app.limits.downloads.used, 0);
  const again = await askFrom("10.0.0.1", server, "/files/a.bin");
  assertEquals(again.status, 200);
  await again.body!.cancel();
});

Deno.test({ name: "a download goes on while the server drains", ignore }, async () => {
  await using server = await serveFiles({});
  await putHole(`${server.root}/a.bin`, 50_000_000);
  const response = await fetch(`${server.origin}/files/a.bin`);
  const drained = server.server.drain();
  assertEquals((await response.bytes()).length, 50_000_000);
  await drained;
});

Deno.test({ name: "a download is cut when its client takes nothing for five minutes", ignore }, async () => {
  await using server = await serveFiles({});
  await putHole(`${server.root}/a.bin`);
  const response = await fetch(`${server.origin}/files/a.bin`);
  // The server still writes into the buffers between the two: a chunk that is taken starts the minutes anew.
  await until(async () => {
    await server.server.bodies.tick();
    return server.app.limits.downloads.used === 0;
  });
  await assertRejects(() => response.bytes());
});

Deno.test(
  { name: "the access log has the bytes of a download that were sent, and its end", ignore },
  async () => {
    await using server = await serveFiles({ "b.bin": randomBytes(300_000), "c.txt": "c" });
    await putHole(`${server.root}/a.bin`);
    const lines = async () =>
      (await Deno.readTextFile(server.app.config.accessLog).catch(() => "")).split("\n").filter(Boolean)
        .map((line) => JSON.parse(line));
    await (await fetch(`${server.origin}/files/a.bin`)).body!.cancel();
    await get(`${server.origin}/files/b.bin`);
    await get(`${server.origin}/files/c.txt`);
    await get(`${server.origin}/files/b.bin`, {}, "HEAD");
    await until(async () => (await lines()).length === 4);
    const logged = (await lines()).map(({ path, method, bytes, end }) => [path, method, bytes, end]);
    const [[, , bytes, end]] = logged.filter(([path]) => path === "/files/a.bin");
    assert(end === "cut" && bytes < 100_000_000, `${end} ${bytes}`);
    assertEquals(logged.filter(([path]) => path !== "/files/a.bin").sort(), [
      ["/files/b.bin", "GET", 300_000, "complete"],
      ["/files/b.bin", "HEAD", 0, "complete"],
      ["/files/c.txt", "GET", 1, "complete"],
    ]);
  },
);

Deno.test(
  { name: "a thousand aborts, at any moment, leave no file open", ignore: !granted.run },
  async () => {
    await using server = await serveFiles({ "sub/small.txt": "small" });
    await putHole(`${server.root}/a.bin`);
    const heads = [
      "GET /files/a.bin HTTP/1.1",
      "GET /files/a.bin HTTP/1.1\nRange: bytes=99999999-",
      "GET /files/a.bin HTTP/1.1\nRange: bytes=5-80000000,90000000-99000000",
      "HEAD /files/a.bin HTTP/1.1",
      "GET /async_download?file=sub/small.txt HTTP/1.1",
      "GET /files/a.bin HTTP/1.1\nIf-None-Match: *",
      "GET /files/a.bin HTTP/1.1\nRange: bytes=100000000-",
      "GET /files/sub/ HTTP/1.1",
    ];
    const abort = async () => {
      using conn = await send(
        server.port,
        `${heads[pick(heads.length)]}\nHost: 127.0.0.1:${server.port}\n\n`,
      );
      const wanted = [0, 1, 1_000, 3_000_000][pick(4)];
      const buffer = new Uint8Array(65_536);
      for (let got = 0; got < wanted;) {
        const read = await conn.read(buffer);
        if (read === null || read < buffer.length) break;
        got += read;
      }
    };
    for (let round = 0; round < 50; round++) await Promise.all(Array.from({ length: 20 }, abort));
    await until(() => server.app.limits.downloads.used === 0);
    await until(async () => (await openFiles(server.root)) === 0);
  },
);

/** How many of this process's handles are files below a folder. `lsof` is not everywhere, /proc is not for Deno to read. */
async function openFiles(folder: string): Promise<number> {
  const { stdout } = await new Deno.Command("ls", { args: ["-l", `/proc/${Deno.pid}/fd`] }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line.includes(folder)).length;
}

/** Passes one connection after another on to a server, and cuts each as soon as `cut` says so. */
function cuttingProxy(port: number, cut: (sent: number) => boolean): Disposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const pass = async (client: Deno.TcpConn) => {
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    const up = client.readable.pipeTo(server.writable).catch(() => {});
    let sent = 0;
    const writer = client.writable.getWriter();
    try {
      for await (const chunk of server.readable) {
        await writer.write(chunk);
        sent += chunk.length;
        if (cut(sent)) break;
      }
    } catch { /* the client has gone */ }
    try {
      client.close();
    } catch { /* closed already */ }
    await up;
  };
  (async () => {
    for await (const conn of listener) pass(conn);
  })().catch(() => {});
  return {
    port: listener.addr.port,
    [Symbol.dispose]: () => listener.close(),
  };
}

function pick(below: number): number {
  return Math.floor(Math.random() * below);
}
