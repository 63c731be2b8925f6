import { Buffer } from "node:buffer";
import { assertEquals, assertRejects } from "@std/assert";
import { find } from "../../../lib/files/root.ts";
import { Opens } from "../../../lib/opens.ts";
import { HttpError, quote } from "../../../lib/stream/errors.ts";
import { Limiter } from "../../../lib/stream/limiter.ts";
import { assertSameBytes, makeFifo, randomBytes, settled } from "../../support/files.ts";
import { granted } from "../../support/granted.ts";
import { serveRoot } from "../../support/served_root.ts";

const ignore = !granted.files;

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test({
  name: "fileResponse() answers HEAD with the headers of the whole file, also with a Range",
  ignore,
}, async () => {
  await using at = await serveRoot({ "a.bin": randomBytes(300_000) });
  const { status, headers, bytes } = await at.ask("a.bin", { range: "bytes=0-0" }, "HEAD");
  assertEquals([status, headers.get("content-length"), bytes.length], [200, "300000", 0]);
});

Deno.test({ name: "fileResponse() answers HEAD without a permit of the downloads", ignore }, async () => {
  await using at = await serveRoot({ "a.txt": "a" }, { downloads: new Limiter(0) });
  assertEquals((await at.ask("a.txt", {}, "HEAD")).status, 200);
});

Deno.test(
  { name: "fileResponse() answers 503 when every permit of the downloads is taken", ignore },
  async () => {
    await using at = await serveRoot({ "a.txt": "a" }, { downloads: new Limiter(0) });
    const { status, headers } = await at.ask("a.txt");
    assertEquals([status, headers.get("retry-after")], [503, "1"]);
  },
);

Deno.test({ name: "fileResponse() answers an empty file with 200 and no bytes", ignore }, async () => {
  await using at = await serveRoot({ "empty.txt": "" });
  const { status, headers, bytes } = await at.ask("empty.txt");
  assertEquals([status, headers.get("content-length"), bytes.length], [200, "0", 0]);
});

Deno.test(
  { name: "fileResponse() sends the bytes of any ranges, in one part or in many", ignore },
  async () => {
    const content = { "small.bin": randomBytes(3_000), "large.bin": randomBytes(700_000) };
    await using at = await serveRoot(content);
    for (let round = 0; round < 300; round++) {
      const name = round % 2 ? "small.bin" as const : "large.bin" as const;
      const whole = content[name];
      const specs = Array.from({ length: 1 + pick(5) }, () => {
        const first = pick(whole.length * 1.1);
        return [`${first}-${first + pick(whole.length / 4)}`, `${first}-`, `-${pick(whole.length)}`][pick(3)];
      });
      const range = `bytes=${specs}`;
      const { status, headers, bytes } = await at.ask(name, { range });
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
  { name: "fileResponse() sends several ranges as multipart/byteranges (RFC 9110, 14.6)", ignore },
  async () => {
    await using at = await serveRoot({ "a.txt": "0123456789" });
    const { status, headers, bytes } = await at.ask("a.txt", { range: "bytes=7-8,0-1,-1" });
    const boundary = headers.get("content-type")!.split("multipart/byteranges; boundary=")[1];
    const part = (range: string, text: string) =>
      `--${boundary}\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Range: bytes ${range}/10\r\n\r\n${text}\r\n`;
    assertEquals([status, headers.get("content-range")], [206, null]);
    assertEquals(
      textOf(bytes),
      `${part("7-8", "78")}${part("0-1", "01")}${part("9-9", "9")}--${boundary}--\r\n`,
    );
  },
);

for (
  const [name, range, size] of [
    ["a.txt", "bytes=10-", 10],
    ["a.txt", "bytes=-0", 10],
    ["a.txt", `bytes=${Array.from({ length: 500 }, () => "0-0")}`, 10],
    ["empty.txt", "bytes=0-", 0],
  ] as const
) {
  Deno.test(
    { name: `fileResponse() answers 416 to ${range.slice(0, 20)} of ${size} bytes`, ignore },
    async () => {
      await using at = await serveRoot({ "a.txt": "0123456789", "empty.txt": "" });
      const { status, headers } = await at.ask(name, { range });
      assertEquals([status, headers.get("content-range")], [416, `bytes */${size}`]);
      const told = `${size} bytes: current value is ${quote(range)}`;
      await assertRejects(() => at.answer(name, { headers: { range } }), HttpError, told);
    },
  );
}

Deno.test({ name: "fileResponse() answers a malformed Range with the whole file", ignore }, async () => {
  await using at = await serveRoot({ "a.txt": "0123456789" });
  for (const range of ["bytes=5-2", "bytes=x", "lines=0-1", ""]) {
    const { status, bytes } = await at.ask("a.txt", { range });
    assertEquals([status, bytes.length], [200, 10], range);
  }
});

const date = "Mon, 06 May 2024 07:08:09 GMT";
const range = "bytes=2-3";

/** Fields, where TAG stands for the file's ETag; the status, in the order of RFC 9110, 13.2.2. */
const preconditions: [Record<string, string>, number][] = [
  [{ "if-none-match": "TAG", range }, 304],
  [{ "if-match": '"x"', range: "bytes=99-" }, 412],
  [{ "if-unmodified-since": "Mon, 06 May 2024 07:08:08 GMT" }, 412],
  [{ "if-modified-since": date }, 304],
  [{ "if-range": "TAG", range }, 206],
  // Its state was changed long after that second, so what has this date need not be what had it before.
  [{ "if-range": date, range }, 200],
  [{ "if-range": "Mon, 06 May 2024 07:08:10 GMT", range }, 200],
  [{ "if-range": '"x"', range: "bytes=99-" }, 200],
];

for (const [fields, status] of preconditions) {
  Deno.test({ name: `fileResponse() answers ${status} to ${JSON.stringify(fields)}`, ignore }, async () => {
    await using at = await serveRoot({ "a.txt": "0123456789" });
    const etag = (await at.ask("a.txt")).headers.get("etag")!;
    const headers = Object.entries(fields).map(([name, value]) => [name, value.replace("TAG", etag)]);
    assertEquals((await at.ask("a.txt", headers as [string, string][])).status, status);
  });
}

Deno.test(
  { name: "fileResponse() answers 304 with the ETag, and without a type or bytes", ignore },
  async () => {
    await using at = await serveRoot({ "a.txt": "0123456789" });
    const etag = (await at.ask("a.txt")).headers.get("etag")!;
    for (const method of ["GET", "HEAD"]) {
      const { status, headers, bytes } = await at.ask("a.txt", { "if-none-match": etag }, method);
      assertEquals([status, headers.get("etag"), headers.get("content-type"), bytes.length], [
        304,
        etag,
        null,
        0,
      ]);
    }
  },
);

Deno.test(
  { name: "fileResponse() sends a file whole that was replaced between two parts", ignore },
  async () => {
    await using at = await serveRoot({ "a.bin": "old old old", "b.bin": "new new new" });
    const etag = (await at.ask("a.bin")).headers.get("etag")!;
    // The same name, size and mtime: only the inode differs.
    await Deno.rename(`${at.root}/b.bin`, `${at.root}/a.bin`);
    for (const condition of [etag, settled.toUTCString()]) {
      const { status, bytes } = await at.ask("a.bin", { range: "bytes=4-", "if-range": condition });
      assertEquals([status, textOf(bytes)], [200, "new new new"]);
    }
  },
);

Deno.test(
  { name: "fileResponse() sends the file that replaced the one that was found", ignore },
  async () => {
    await using at = await serveRoot({ "a.txt": "old", "b.txt": "newer" });
    const found = await find(at.root, ["a.txt"]);
    await Deno.rename(`${at.root}/b.txt`, `${at.root}/a.txt`);
    const response = await at.answer("a.txt", {}, Promise.resolve(found));
    assertEquals([response.headers.get("content-length"), await response.text()], ["5", "newer"]);
  },
);

/** Opens a file as another program overwrites it, up to `times` times: after the state that the response has was taken. */
const overwriting = (times: number) =>
  new class extends Opens {
    override async open(path: string) {
      const file = await super.open(path);
      const { statSync } = file;
      const before = statSync.call(file);
      file.statSync = () => {
        file.statSync = statSync;
        if (times-- > 0) {
          Deno.writeTextFileSync(path, `${times} left`);
          Deno.utimeSync(path, times, times); // the clock of mtimes is slower than this test
        }
        return before;
      };
      return file;
    }
  }();

Deno.test(
  { name: "fileResponse() reads a small file again that was overwritten meanwhile", ignore },
  async () => {
    await using at = await serveRoot({ "a.txt": "before" }, { opens: overwriting(2) });
    const { status, bytes } = await at.ask("a.txt");
    assertEquals([status, textOf(bytes)], [200, "0 left"]);
  },
);

Deno.test(
  { name: "fileResponse() answers 503 for a small file that is overwritten each time", ignore },
  async () => {
    await using at = await serveRoot({ "a.txt": "before" }, { opens: overwriting(9) });
    const { status, headers } = await at.ask("a.txt");
    assertEquals([status, headers.get("retry-after"), at.downloads.used], [503, "1", 0]);
  },
);

Deno.test({
  name: "fileResponse() answers 404 for a found file that became a symlink out of the root",
  ignore,
}, async () => {
  await using at = await serveRoot({ "a.txt": "inside", "../outside/a.txt": "secret" });
  const found = await find(at.root, ["a.txt"]);
  await Deno.remove(`${at.root}/a.txt`);
  await Deno.symlink("../outside/a.txt", `${at.root}/a.txt`);
  await assertRejects(
    () => at.answer("a.txt", {}, Promise.resolve(found)),
    HttpError,
    "must be that of a file",
  );
});

Deno.test({
  name: "fileResponse() with followLinks sends a found file that became a symlink out of the root",
  ignore,
}, async () => {
  await using at = await serveRoot({ "a.txt": "old", "../outside/a.txt": "new" });
  const found = await find(at.root, ["a.txt"], true);
  await Deno.remove(`${at.root}/a.txt`);
  await Deno.symlink("../outside/a.txt", `${at.root}/a.txt`);
  assertEquals(await (await at.answer("a.txt", {}, Promise.resolve(found))).text(), "new");
});

Deno.test({
  name: "fileResponse() answers 404 for a found file whose folder became a symlink out of the root",
  ignore,
}, async () => {
  await using at = await serveRoot({ "sub/a.txt": "inside", "../outside/a.txt": "secret" });
  const found = await find(at.root, ["sub", "a.txt"]);
  await Deno.rename(`${at.root}/sub`, `${at.root}/kept`);
  await Deno.symlink("../outside", `${at.root}/sub`);
  await assertRejects(
    () => at.answer("sub/a.txt", {}, Promise.resolve(found)),
    HttpError,
    "must be that of a file",
  );
});

Deno.test({
  name: "fileResponse() answers 503 while FIFOs hold every permit to open, and reads on when they are free",
  ignore: !granted.run,
}, async () => {
  const opens = new Opens(2, { waitMs: 5 });
  await using at = await serveRoot({ "a.txt": "a" }, { opens });
  const fifo = await makeFifo(`${at.root}/fifo`);
  const hung = [opens.open(`${at.root}/fifo`), opens.open(`${at.root}/fifo`)];
  const { status, headers } = await at.ask("a.txt");
  assertEquals([status, headers.get("retry-after"), at.downloads.used], [503, "1", 0]);
  await fifo.free();
  for (const file of await Promise.all(hung)) file.close();
  assertEquals((await at.ask("a.txt")).status, 200);
});

Deno.test({
  name: "fileResponse() gives the permit of a download back when its client leaves while the open hangs",
  ignore: !granted.run,
}, async () => {
  await using at = await serveRoot({ "a.txt": "a" });
  const fifo = await makeFifo(`${at.root}/fifo`);
  // What find() sees before a program puts a FIFO there.
  const found = { ...await find(at.root, ["a.txt"]), path: `${at.root}/fifo` };
  const controller = new AbortController();
  const hung = at.answer("a.txt", { signal: controller.signal }, Promise.resolve(found));
  controller.abort();
  await assertRejects(() => hung, DOMException);
  assertEquals(at.downloads.used, 0);
  await fifo.free();
  // The open that hung ends in its own time: then all permits are there.
  for (const permit of await Promise.all(Array.from({ length: 8 }, () => at.opens.permit()))) {
    permit.release();
  }
});

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
