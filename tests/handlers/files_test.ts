import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { granted } from "../support/granted.ts";
import { serve, type TestServer, until } from "../support/server.ts";

const ignore = !granted.server;
const long = 5_000_000;
const settled = new Date("2024-05-06T07:08:09.123Z");

/** A server whose root has the given files, all old enough for a strong ETag. */
async function serveFiles(
  contents: Record<string, string | Uint8Array>,
  options?: Parameters<typeof serve>[0],
): Promise<TestServer & { root: string }> {
  const server = await serve(options);
  const root = `${server.folder}/files`;
  for (const [name, content] of Object.entries(contents)) await put(`${root}/${name}`, content);
  return Object.assign(server, { root });
}

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  await Deno.utime(path, settled, settled);
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 65_536) crypto.getRandomValues(bytes.subarray(i, i + 65_536));
  return bytes;
}

/** Sends a request as it stands, with a target that no URL parser has touched. */
async function raw(port: number, head: string): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(`${head}\r\nHost: 127.0.0.1:${port}\r\n\r\n`));
  return conn;
}

async function rawText(port: number, head: string): Promise<string> {
  const conn = await raw(port, `${head}\r\nConnection: close`);
  return await new Response(conn.readable).text();
}

async function get(url: string, headers: HeadersInit = {}, method = "GET") {
  const response = await fetch(url, { headers, method, redirect: "manual" });
  return { status: response.status, headers: response.headers, bytes: await response.bytes() };
}

/** Compares without the wall of text that a failing assertEquals makes of a megabyte. */
function assertSameBytes(actual: Uint8Array, expected: Uint8Array, message = ""): void {
  assertEquals(actual.length, expected.length, message);
  assertEquals(Buffer.compare(actual, expected), 0, `other bytes: ${message}`);
}

Deno.test(
  { name: "the three routes serve the same file alike, but for its disposition", ignore },
  async () => {
    await using server = await serveFiles({ "sub/é.html": "<p>hi" });
    const tags = new Set();
    for (
      const [path, how] of [
        ["/files/sub/%C3%A9.html", "inline"],
        ["/stream/file?file=sub/%C3%A9.html", "inline"],
        ["/async_download?file=sub/%C3%A9.html", "attachment"],
      ]
    ) {
      const { status, headers, bytes } = await get(server.origin + path);
      assertEquals([status, new TextDecoder().decode(bytes)], [200, "<p>hi"]);
      assertEquals(
        headers.get("content-disposition"),
        `${how}; filename="_.html"; filename*=UTF-8''%C3%A9.html`,
      );
      assertEquals(headers.get("content-type"), "text/html; charset=UTF-8");
      assertEquals(headers.get("content-length"), "5");
      assertEquals(headers.get("accept-ranges"), "bytes");
      assertEquals(headers.get("last-modified"), "Mon, 06 May 2024 07:08:09 GMT");
      assertEquals(headers.get("x-content-type-options"), "nosniff");
      assertEquals(headers.get("content-security-policy"), "sandbox");
      assertMatch(headers.get("etag")!, /^"[^"]+"$/);
      tags.add(headers.get("etag"));
      assertEquals((await get(server.origin + path, { range: "bytes=1-2" })).status, 206);
    }
    assertEquals(tags.size, 1);
  },
);

Deno.test({
  name: "HEAD has the headers of GET, also with a Range, and takes no place among the downloads",
  ignore,
}, async () => {
  await using server = await serveFiles({ "a.bin": randomBytes(long), "empty.txt": "" }, {
    limits: { downloads: 0 },
  });
  for (const [name, length] of [["a.bin", String(long)], ["empty.txt", "0"]]) {
    const { status, headers, bytes } = await get(
      `${server.origin}/files/${name}`,
      { range: "bytes=0-0" },
      "HEAD",
    );
    assertEquals([status, headers.get("content-length"), bytes.length], [200, length, 0]);
    assertMatch(headers.get("etag")!, /^"/);
  }
});

Deno.test({ name: "an empty file is 200 with no bytes", ignore }, async () => {
  await using server = await serveFiles({ "empty.txt": "" });
  const { status, headers, bytes } = await get(`${server.origin}/files/empty.txt`);
  assertEquals([status, headers.get("content-length"), bytes.length], [200, "0", 0]);
});

Deno.test(
  { name: "any ranges of a file are the bytes that they name, in one part or in many", ignore },
  async () => {
    const content = { "small.bin": randomBytes(3_000), "large.bin": randomBytes(700_000) };
    await using server = await serveFiles(content);
    for (let round = 0; round < 300; round++) {
      const name = round % 2 ? "small.bin" as const : "large.bin" as const;
      const whole = content[name];
      const specs = Array.from({ length: 1 + pick(5) }, () => {
        const first = pick(whole.length * 1.1);
        return [`${first}-${first + pick(whole.length / 4)}`, `${first}-`, `-${pick(whole.length)}`][pick(3)];
      });
      const range = `bytes=${specs}`;
      const { status, headers, bytes } = await get(`${server.origin}/files/${name}`, { range });
      if (status === 416) {
        assertEquals(headers.get("content-range"), `bytes */${whole.length}`);
        continue;
      }
      assertEquals(status, 206, range);
      assertEquals(headers.get("content-length"), String(bytes.length));
      const type = headers.get("content-type")!;
      const parts = type.startsWith("multipart/")
        ? parseParts(bytes, type.split("boundary=")[1])
        : [{ range: headers.get("content-range")!, bytes }];
      for (const part of parts) {
        const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(part.range)!.map(Number);
        assertEquals(size, whole.length);
        assertSameBytes(part.bytes, whole.subarray(first, last + 1), range);
      }
    }
  },
);

Deno.test(
  { name: "several ranges are a multipart/byteranges body, as RFC 9110, 14.6 shows it", ignore },
  async () => {
    await using server = await serveFiles({ "a.txt": "0123456789" });
    const { status, headers, bytes } = await get(`${server.origin}/files/a.txt`, {
      range: "bytes=7-8,0-1,-1",
    });
    const boundary = headers.get("content-type")!.split("multipart/byteranges; boundary=")[1];
    const part = (range: string, text: string) =>
      `--${boundary}\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Range: bytes ${range}/10\r\n\r\n${text}\r\n`;
    assertEquals(status, 206);
    assertEquals(
      new TextDecoder().decode(bytes),
      `${part("7-8", "78")}${part("0-1", "01")}${part("9-9", "9")}--${boundary}--\r\n`,
    );
    assertEquals(headers.get("content-range"), null);
  },
);

Deno.test(
  { name: "a range that cannot be satisfied, or too many of them, is 416 with the size", ignore },
  async () => {
    await using server = await serveFiles({ "a.txt": "0123456789", "empty.txt": "" });
    for (
      const [name, range, size] of [
        ["a.txt", "bytes=10-", 10],
        ["a.txt", "bytes=-0", 10],
        ["a.txt", `bytes=${Array.from({ length: 500 }, () => "0-0")}`, 10],
        ["empty.txt", "bytes=0-", 0],
      ] as const
    ) {
      const { status, headers } = await get(`${server.origin}/files/${name}`, { range });
      assertEquals([status, headers.get("content-range")], [416, `bytes */${size}`]);
    }
  },
);

Deno.test({ name: "a malformed Range is answered with the whole file", ignore }, async () => {
  await using server = await serveFiles({ "a.txt": "0123456789" });
  for (const range of ["bytes=5-2", "bytes=x", "lines=0-1", "bytes=0-1,", ""]) {
    const { status, bytes } = await get(`${server.origin}/files/a.txt`, { range });
    assertEquals([status, bytes.length], range === "bytes=0-1," ? [206, 2] : [200, 10], range);
  }
});

Deno.test({
  name: "preconditions are answered in the order of RFC 9110, 13.2.2, and before the Range",
  ignore,
}, async () => {
  await using server = await serveFiles({ "a.txt": "0123456789" });
  const url = `${server.origin}/files/a.txt`;
  const etag = (await get(url)).headers.get("etag")!;
  const range = "bytes=2-3";
  const ask = async (headers: HeadersInit, method = "GET") => (await get(url, headers, method)).status;
  assertEquals(await ask({ "if-none-match": etag, range }), 304);
  assertEquals(await ask({ "if-none-match": etag }, "HEAD"), 304);
  assertEquals(await ask({ "if-match": '"x"', range: "bytes=99-" }), 412);
  assertEquals(await ask({ "if-unmodified-since": "Mon, 06 May 2024 07:08:08 GMT" }), 412);
  assertEquals(await ask({ "if-modified-since": "Mon, 06 May 2024 07:08:09 GMT" }), 304);
  assertEquals(await ask({ "if-range": etag, range }), 206);
  // Its state was changed long after that second, so what has this date need not be what had it before.
  assertEquals(await ask({ "if-range": "Mon, 06 May 2024 07:08:09 GMT", range }), 200);
  assertEquals(await ask({ "if-range": "Mon, 06 May 2024 07:08:10 GMT", range }), 200);
  assertEquals(await ask({ "if-range": '"x"', range: "bytes=99-" }), 200);
  const { headers, bytes } = await get(url, { "if-none-match": etag });
  assertEquals([headers.get("etag"), headers.get("content-type"), bytes.length], [etag, null, 0]);
});

Deno.test(
  { name: "a file less than a second old is weak, and If-Range does not match it", ignore },
  async () => {
    await using server = await serveFiles({ "a.txt": "" });
    const now = new Date(Date.now() + 60_000); // stays young however slow this test is
    await Deno.writeTextFile(`${server.root}/a.txt`, "0123456789");
    await Deno.utime(`${server.root}/a.txt`, now, now);
    const url = `${server.origin}/files/a.txt`;
    const { headers } = await get(url);
    const etag = headers.get("etag")!;
    assertMatch(etag, /^W\/"/);
    for (const condition of [etag, etag.slice(2), headers.get("last-modified")!]) {
      assertEquals((await get(url, { range: "bytes=1-2", "if-range": condition })).status, 200);
    }
    assertEquals((await get(url, { "if-none-match": etag })).status, 304);
  },
);

Deno.test({ name: "a file that is replaced between two parts is sent whole", ignore }, async () => {
  await using server = await serveFiles({ "a.bin": "old old old", "b.bin": "new new new" });
  const url = `${server.origin}/files/a.bin`;
  const etag = (await get(url)).headers.get("etag")!;
  // The same name, size and mtime: only the inode tells.
  await Deno.rename(`${server.root}/b.bin`, `${server.root}/a.bin`);
  for (const condition of [etag, "Mon, 06 May 2024 07:08:09 GMT"]) {
    const { status, bytes } = await get(url, { range: "bytes=4-", "if-range": condition });
    assertEquals([status, new TextDecoder().decode(bytes)], [200, "new new new"]);
  }
});

Deno.test({ name: "a file that grows while it is sent has the length that it had", ignore }, async () => {
  const content = randomBytes(long * 4);
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
  const size = 200_000_000; // more than the buffers of both ends hold
  await using server = await serveFiles({ "a.bin": "" });
  await Deno.truncate(`${server.root}/a.bin`, size);
  const response = await fetch(`${server.origin}/files/a.bin`);
  assertEquals(response.headers.get("content-length"), String(size));
  const reader = response.body!.getReader();
  let got = (await reader.read()).value!.length;
  await Deno.truncate(`${server.root}/a.bin`, 1_000);
  await assertRejects(async () => {
    for (let result = await reader.read(); !result.done; result = await reader.read()) {
      got += result.value.length;
    }
  });
  assert(got < size);
  await until(() => server.app.limits.downloads.used === 0);
});

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

Deno.test(
  { name: "what leads out of the root, or is hidden, is 404 like what is not there", ignore },
  async () => {
    await using server = await serveFiles({
      "a.txt": "inside",
      "sub/b.txt": "inside",
      ".hidden": "secret",
      ".git/config": "secret",
      "a\\b": "secret",
      "../outside/secret.txt": "secret",
    });
    const { root } = server;
    await Deno.symlink("../outside", `${root}/out`);
    await Deno.symlink("../outside/secret.txt", `${root}/out.txt`);
    await Deno.symlink(".hidden", `${root}/shown.txt`);
    await Deno.symlink("loop", `${root}/loop`);
    await Deno.symlink("/dev/zero", `${root}/zero`);
    await Deno.symlink("sub/b.txt", `${root}/in.txt`);
    const absent = await rawText(server.port, "GET /files/absent HTTP/1.1");
    const error = absent.split("\r\n\r\n")[1];
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
      "a\\b",
      "a%5Cb",
      "a.txt%00",
      "%00",
      "/a.txt",
      "//",
      "a.txt/",
      "a.txt/x",
      "sub//b.txt",
      "%ff",
      "x".repeat(300),
      root + "/a.txt",
    ]; // deno-fmt-ignore
    for (const path of paths) {
    const text = await rawText(server.port, `GET /files/${path} HTTP/1.1`);
    assertMatch(text, /^HTTP\/1.1 404 /, path);
    assert(!text.includes("secret") && !text.includes("inside"), path);
    assertMatch(text.split("\r\n\r\n")[1], /^{"error":"no such (file|path)"}\n$/, path);
  }
    for (
      const path of [
        "../outside/secret.txt",
        "/etc/passwd",
        `${root}/a.txt`,
        "out.txt",
        ".hidden",
        "a\\b",
        "a\0",
        "sub",
      ]
    ) {
      for (const route of ["async_download", "stream/file"]) {
        const { status, bytes } = await get(`${server.origin}/${route}?file=${encodeURIComponent(path)}`);
        assertEquals([status, new TextDecoder().decode(bytes)], [404, error], path);
      }
    }
    assertEquals((await get(`${server.origin}/files/in.txt`)).status, 200);
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
    assertMatch(new TextDecoder().decode(bytes), /^{"error":"file must be given/);
  }
});

Deno.test({
  name: "a FIFO in the root is 404, absent from the listing, and holds nobody up",
  ignore: !granted.run,
}, async () => {
  await using server = await serveFiles({ "a.txt": "a" });
  await new Deno.Command("mkfifo", { args: [`${server.root}/fifo`] }).output();
  const asked = await Promise.all(
    Array.from({ length: 20 }, () => get(`${server.origin}/files/fifo`)),
  );
  assertEquals(new Set(asked.map(({ status }) => status)), new Set([404]));
  const { bytes } = await get(`${server.origin}/files/`);
  assertEquals(JSON.parse(new TextDecoder().decode(bytes)).entries.length, 1);
});

Deno.test({ name: "a folder that the server may not read is 404, the root as well", ignore }, async () => {
  await using server = await serveFiles({ "sub/a.txt": "a" });
  const { readDir } = Deno;
  // Who runs the tests as root may read everything.
  Deno.readDir = () => {
    throw Object.assign(new Deno.errors.PermissionDenied("no"), { code: "EACCES" });
  };
  try {
    for (const path of ["", "sub/"]) {
      const { status, bytes } = await get(`${server.origin}/files/${path}`);
      assertEquals([status, new TextDecoder().decode(bytes)], [404, '{"error":"no such file"}\n']);
    }
  } finally {
    Deno.readDir = readDir;
  }
});

Deno.test({
  name: "a server that has too many files open says when to come back",
  ignore: !granted.run,
}, async () => {
  const folder = await Deno.makeTempDir({ prefix: "weir-test-" });
  await Deno.writeTextFile(`${folder}/a.bin`, "");
  await Deno.truncate(`${folder}/a.bin`, 50_000_000);
  const code = `
    import { find, open } from ${JSON.stringify(new URL("../../lib/files/root.ts", import.meta.url).href)};
    const opened = [];
    for (;;) {
      try {
        opened.push(await open(await find(${JSON.stringify(folder)}, ["a.bin"])));
      } catch (error) {
        console.log(error.status, error.options?.headers["Retry-After"]);
        break;
      }
    }`;
  await Deno.writeTextFile(`${folder}/open.ts`, code);
  const args = ["-c", `ulimit -n 200; exec "$0" run --no-check --allow-read "$1"`, Deno.execPath()];
  const { stdout } = await new Deno.Command("sh", { args: [...args, `${folder}/open.ts`] }).output();
  assertEquals(new TextDecoder().decode(stdout), "503 1\n");
  await Deno.remove(folder, { recursive: true });
});

Deno.test({ name: "a race of symlinks and renames wins nothing", ignore }, async () => {
  await using server = await serveFiles({
    "dir/f.txt": "inside",
    "f.txt": "inside",
    "../outside/f.txt": "a secret",
    "../outside/only-outside.txt": "a secret",
  });
  const code = `
    const root = ${JSON.stringify(server.root)};
    Deno.symlinkSync("../outside", root + "/link");
    Deno.symlinkSync("../outside/f.txt", root + "/flink");
    const swap = (name, link) => {
      Deno.renameSync(root + "/" + name, root + "/kept");
      Deno.renameSync(root + "/" + link, root + "/" + name);
      Deno.renameSync(root + "/" + name, root + "/" + link);
      Deno.renameSync(root + "/kept", root + "/" + name);
    };
    postMessage("ready");
    let on = true;
    onmessage = () => on = false;
    const turn = () => {
      for (let i = 0; i < 50; i++) { swap("dir", "link"); swap("f.txt", "flink"); }
      if (on) setTimeout(turn);
      else postMessage("stopped");
    };
    turn();`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: "module" });
  const message = () => new Promise((resolve) => worker.onmessage = resolve);
  await message();
  const seen = new Set<string>();
  for (let i = 0; i < 400; i++) {
    for (
      const path of [
        "/files/dir/f.txt",
        "/files/f.txt",
        "/async_download?file=dir/f.txt",
        "/files/dir/",
        "/files/",
      ]
    ) {
      const { bytes } = await get(server.origin + path);
      const text = new TextDecoder().decode(bytes);
      assert(!/secret|outside/.test(text), text);
      seen.add(text.slice(0, 9));
    }
  }
  const stopped = message();
  worker.postMessage("stop");
  await stopped;
  worker.terminate();
  // The race was on: there were moments of both kinds.
  assert(seen.has("inside") && seen.has('{"error":'), [...seen].join());
});

Deno.test({ name: "a folder is listed as JSON, or as a page whose names are escaped", ignore }, async () => {
  const evil = '<img src=x onerror="alert(1)">&\'.txt';
  await using server = await serveFiles({ [evil]: "12", "sub/x": "", "z 日本.txt": "123", ".hidden": "" });
  await Deno.symlink("/etc", `${server.root}/out`);
  await Deno.symlink("sub", `${server.root}/in`);
  const json = await get(`${server.origin}/files/`);
  assertEquals(json.headers.get("content-type"), "application/json");
  assertMatch(json.headers.get("vary")!, /\bAccept$/);
  const { path, entries, truncated } = JSON.parse(new TextDecoder().decode(json.bytes));
  assertEquals([path, truncated], ["", false]);
  assertEquals(entries.map(({ name, type, size }: Record<string, unknown>) => [name, type, size]), [
    [evil, "file", 2],
    ["in", "directory", null],
    ["sub", "directory", null],
    ["z 日本.txt", "file", 3],
  ]);
  assertEquals(entries[0].time, settled.toISOString());

  const page = await get(`${server.origin}/files/`, { accept: "text/html,application/xhtml+xml,*/*;q=0.8" });
  assertEquals(page.headers.get("content-type"), "text/html; charset=utf-8");
  assertEquals(page.headers.get("x-content-type-options"), "nosniff");
  assertMatch(page.headers.get("content-security-policy")!, /sandbox/);
  const html = new TextDecoder().decode(page.bytes);
  assert(!html.includes("<img"));
  for (const [, link] of html.matchAll(/href="([^"]+)"/g)) {
    assertEquals((await get(new URL(link, `${server.origin}/files/`).href)).status, 200, link);
  }
});

Deno.test({ name: "a listing stops at its limit and says so", ignore }, async () => {
  await using server = await serveFiles({ a: "", b: "", c: "" }, { limits: { listing: 2 } });
  const { entries, truncated } = JSON.parse(
    new TextDecoder().decode((await get(`${server.origin}/files/`)).bytes),
  );
  assertEquals([entries.length, truncated], [2, true]);
  const page = await get(`${server.origin}/files/`, { accept: "text/html" });
  assertStringIncludes(new TextDecoder().decode(page.bytes), "there are more");
});

Deno.test({ name: "a folder without its slash redirects to itself, with the query", ignore }, async () => {
  await using server = await serveFiles({ "a b/c": "" });
  for (const [from, to] of [["/files", "/files/"], ["/files/a%20b?x=1", "/files/a%20b/?x=1"]]) {
    const { status, headers } = await get(server.origin + from);
    assertEquals([status, headers.get("location")], [301, to]);
  }
  assertEquals((await get(`${server.origin}/files/`, { accept: "image/png" })).status, 406);
  const parameter = await get(`${server.origin}/files/`, {
    accept: "application/json;charset=utf-8, text/html;q=0.9",
  });
  assertEquals(parameter.headers.get("content-type"), "application/json");
  const head = await get(`${server.origin}/files/`, {}, "HEAD");
  assertEquals([head.status, head.headers.get("content-type")], [200, "application/json"]);
  // As RFC 9110, 8.6 has it: the length of the GET, or none.
  assertEquals(head.headers.get("content-length"), null);
});

Deno.test({
  name: "a download holds its place until it has ended, and the next is told when to come back",
  ignore,
}, async () => {
  await using server = await serveFiles({ "a.bin": "" }, { limits: { downloads: 1 } });
  await Deno.truncate(`${server.root}/a.bin`, 100_000_000);
  const url = `${server.origin}/files/a.bin`;
  const first = await fetch(url);
  const second = await get(url);
  assertEquals([second.status, second.headers.get("retry-after")], [503, "1"]);
  await first.body!.cancel();
  await until(() => server.app.limits.downloads.used === 0);
  assertEquals((await get(url, { range: "bytes=0-0" })).status, 206);
});

Deno.test({ name: "a download goes on while the server drains", ignore }, async () => {
  await using server = await serveFiles({ "a.bin": "" });
  await Deno.truncate(`${server.root}/a.bin`, 50_000_000);
  const response = await fetch(`${server.origin}/files/a.bin`);
  await server.server.drain();
  assertEquals((await response.bytes()).length, 50_000_000);
});

Deno.test(
  { name: "the access log tells how much of a download was sent, and whether it was cut", ignore },
  async () => {
    await using server = await serveFiles({ "a.bin": "", "b.bin": randomBytes(300_000), "c.txt": "c" });
    await Deno.truncate(`${server.root}/a.bin`, 100_000_000);
    await (await fetch(`${server.origin}/files/a.bin`)).body!.cancel();
    await get(`${server.origin}/files/b.bin`);
    await get(`${server.origin}/files/c.txt`);
    await get(`${server.origin}/files/b.bin`, {}, "HEAD");
    const entries = async () =>
      (await Deno.readTextFile(server.app.config.accessLog).catch(() => "")).trim().split("\n").filter(
        Boolean,
      )
        .map((line) => JSON.parse(line));
    await until(async () => (await entries()).length === 4);
    const told = (await entries()).map(({ path, method, bytes, end }) => [path, method, bytes, end]);
    const cut = told.find(([path]) => path === "/files/a.bin")!;
    assertEquals(cut[3], "cut");
    assert(cut[2] > 0 && cut[2] < 100_000_000);
    for (
      const line of [
        ["/files/b.bin", "GET", 300_000, "complete"],
        ["/files/c.txt", "GET", 1, "complete"],
        ["/files/b.bin", "HEAD", 0, "complete"],
      ]
    ) {
      assert(
        told.some((other) => JSON.stringify(other) === JSON.stringify(line)),
        `${line} in ${JSON.stringify(told)}`,
      );
    }
  },
);

Deno.test(
  { name: "a thousand aborts, at any moment, leave no file open", ignore: !granted.run },
  async () => {
    await using server = await serveFiles({ "a.bin": "", "sub/small.txt": "small" });
    await Deno.truncate(`${server.root}/a.bin`, 100_000_000);
    const heads = [
      "GET /files/a.bin HTTP/1.1",
      "GET /files/a.bin HTTP/1.1\r\nRange: bytes=99999999-",
      "GET /files/a.bin HTTP/1.1\r\nRange: bytes=5-80000000,90000000-99000000",
      "HEAD /files/a.bin HTTP/1.1",
      "GET /async_download?file=sub/small.txt HTTP/1.1",
      "GET /files/a.bin HTTP/1.1\r\nIf-None-Match: *",
      "GET /files/a.bin HTTP/1.1\r\nRange: bytes=100000000-",
      "GET /files/sub/ HTTP/1.1",
    ];
    const abort = async () => {
      using conn = await raw(server.port, heads[pick(heads.length)]);
      const wanted = [0, 1, 1_000, 3_000_000][pick(4)];
      const buffer = new Uint8Array(65_536);
      for (let got = 0; got < wanted;) {
        const read = await conn.read(buffer);
        if (read === null || read < buffer.length) break;
        got += read;
      }
    };
    await abort();
    await until(() => server.app.limits.downloads.used === 0);
    const before = await openFiles(server.root);
    for (let round = 0; round < 50; round++) await Promise.all(Array.from({ length: 20 }, abort));
    await until(() => server.app.limits.downloads.used === 0);
    await until(async () => (await openFiles(server.root)) === before);
    assertEquals(before, 0);
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

/** The parts of a multipart/byteranges body. */
function parseParts(bytes: Uint8Array, boundary: string): { range: string; bytes: Uint8Array }[] {
  // As Latin-1, in which a byte is a character.
  const text = Buffer.from(bytes).toString("latin1");
  const parts = `\r\n${text}`.split(`\r\n--${boundary}`);
  assertEquals([parts[0], parts.at(-1)], ["", "--\r\n"]);
  return parts.slice(1, -1).map((part) => {
    const end = part.indexOf("\r\n\r\n");
    const range = /^Content-Range: (.*)$/m.exec(part.slice(0, end))![1].trim();
    return { range, bytes: Buffer.from(part.slice(end + 4), "latin1") };
  });
}

function pick(below: number): number {
  return Math.floor(Math.random() * below);
}
