import { assertEquals, assertNotEquals } from "@std/assert";
import { put, settled } from "../../support/files.ts";
import { granted } from "../../support/granted.ts";
import { serveRoot } from "../../support/served_root.ts";

const ignore = !granted.files;
/** It ends in the length of what is in it, as gzip writes that. */
const gz = "gzip\x08\0\0\0";
const all = { "a.js": "as it is", "a.js.br": "brotli", "a.js.gz": gz };
const withBr = { "accept-encoding": "br" };

const table: [accepted: string | null, files: Record<string, string>, coding: string | null][] = [
  [null, all, null],
  ["", all, null],
  ["identity", all, null],
  ["deflate", all, null],
  ["gzip", all, "gzip"],
  ["GZIP", all, "gzip"],
  ["br", all, "br"],
  ["gzip, deflate, br, zstd", all, "br"],
  ["gzip, br;q=0.9", all, "gzip"],
  ["br;q=0, *", all, "gzip"],
  ["*", all, "br"],
  ["gzip;q=0.5, identity", all, null],
  ["gzip;q=0", all, null],
  ["*;q=0", all, null],
  ["gzip, br", { "a.js": "as it is", "a.js.gz": gz }, "gzip"],
  ["gzip, br", { "a.js": "as it is" }, null],
];

for (const [accepted, files, coding] of table) {
  const field = accepted === null ? "no Accept-Encoding" : `Accept-Encoding: ${accepted}`;
  const there = Object.keys(files).join(", ");
  Deno.test({
    name: `fileResponse() sends ${coding ?? "the file as it is"} for ${field} of ${there}`,
    ignore,
  }, async () => {
    await using at = await serveRoot(files);
    const { headers, bytes } = await at.ask("a.js", accepted === null ? {} : { "accept-encoding": accepted });
    const body = new TextDecoder().decode(bytes);
    assertEquals([headers.get("content-encoding"), body], [coding, files["a.js" + endings[coding ?? ""]]]);
    assertEquals(headers.get("vary"), there === "a.js" ? null : "Accept-Encoding");
    assertEquals(headers.get("content-type"), "text/javascript; charset=UTF-8");
  });
}
const endings: Record<string, string> = { "": "", br: ".br", gzip: ".gz" };

Deno.test({ name: "fileResponse() answers HEAD with the length of the coding", ignore }, async () => {
  await using at = await serveRoot(all);
  const { headers, bytes } = await at.ask("a.js", withBr, "HEAD");
  assertEquals([headers.get("content-encoding"), headers.get("content-length"), bytes.length], [
    "br",
    "6",
    0,
  ]);
});

Deno.test({ name: "fileResponse() counts a Range in the bytes of the coding", ignore }, async () => {
  await using at = await serveRoot(all);
  const { status, headers, bytes } = await at.ask("a.js", { ...withBr, range: "bytes=1-3" });
  assertEquals([status, headers.get("content-range"), headers.get("content-encoding")], [
    206,
    "bytes 1-3/6",
    "br",
  ]);
  assertEquals(new TextDecoder().decode(bytes), "rot");
});

Deno.test({
  name: "fileResponse() gives each coding an ETag of its own, also one that is a link to the file",
  ignore,
}, async () => {
  await using at = await serveRoot({ "a.js": "as it is", "a.js.gz": gz });
  await Deno.symlink(`${at.root}/a.js`, `${at.root}/a.js.br`);
  const tags = await Promise.all(
    ["", "br", "gzip"].map(async (coding) =>
      (await at.ask("a.js", { "accept-encoding": coding })).headers.get("etag")
    ),
  );
  assertEquals(new Set(tags).size, 3);
});

Deno.test({ name: "fileResponse() answers 304 to the ETag of the coding, with Vary", ignore }, async () => {
  await using at = await serveRoot(all);
  const etag = (await at.ask("a.js", withBr)).headers.get("etag")!;
  const { status, headers } = await at.ask("a.js", { ...withBr, "if-none-match": etag });
  assertEquals([status, headers.get("etag"), headers.get("vary")], [304, etag, "Accept-Encoding"]);
  assertEquals((await at.ask("a.js", { "if-none-match": etag })).status, 200);
});

for (const [had, wanted] of [["br", ""], ["", "br"], ["br", "gzip"]]) {
  Deno.test({
    name: `fileResponse() joins no range of "${wanted}" to what If-Range says of "${had}"`,
    ignore,
  }, async () => {
    await using at = await serveRoot(all);
    const { headers } = await at.ask("a.js", { "accept-encoding": had });
    const range = { "accept-encoding": wanted, range: "bytes=1-", "if-range": headers.get("etag")! };
    assertEquals((await at.ask("a.js", range)).status, 200);
  });
}

Deno.test({ name: "fileResponse() goes on with a coding by its ETag", ignore }, async () => {
  await using at = await serveRoot(all);
  const etag = (await at.ask("a.js", withBr)).headers.get("etag")!;
  assertEquals((await at.ask("a.js", { ...withBr, range: "bytes=1-", "if-range": etag })).status, 206);
});

Deno.test({ name: "fileResponse() does not use a coding that is older than its file", ignore }, async () => {
  await using at = await serveRoot(all);
  const younger = new Date(settled.getTime() + 1);
  await Deno.utime(`${at.root}/a.js`, younger, younger);
  assertEquals((await at.ask("a.js", withBr)).headers.get("content-encoding"), null);
});

Deno.test({
  name: "fileResponse() does not use a .gz that is cut, or is of another length than its file",
  ignore,
}, async () => {
  for (const packed of ["", "gz", gz.slice(0, -1), "gzip\x09\0\0\0"]) {
    await using at = await serveRoot({ "a.js": "as it is", "a.js.gz": packed });
    const { headers, bytes } = await at.ask("a.js", { "accept-encoding": "gzip" });
    assertEquals([headers.get("content-encoding"), bytes.length], [null, 8]);
  }
});

Deno.test({
  name: "fileResponse() uses a .br that is newer than its file once it has been at rest for a minute",
  ignore,
}, async () => {
  await using at = await serveRoot({ "a.js": "as it is", "a.js.br": "brotli" });
  const seen: (string | null)[] = [];
  for (const age of [0, 59_000, 61_000]) {
    const changed = new Date(Date.now() - age);
    await Deno.utime(`${at.root}/a.js.br`, changed, changed);
    seen.push((await at.ask("a.js", withBr)).headers.get("content-encoding"));
  }
  assertEquals(seen, [null, null, "br"]);
});

Deno.test({
  name: "fileResponse() does not use a coding that a link leads to out of the root, or that is a folder",
  ignore,
}, async () => {
  await using at = await serveRoot({ "a.js": "as it is", "../secret": "secret", "a.js.gz/b": "" });
  await Deno.symlink(`${at.root}/../secret`, `${at.root}/a.js.br`);
  const { headers } = await at.ask("a.js", { "accept-encoding": "br, gzip" });
  assertEquals([headers.get("content-encoding"), headers.get("vary")], [null, null]);
});

Deno.test({
  name: "fileResponse() sends a coding that is asked for by its own name as a file of its own",
  ignore,
}, async () => {
  await using at = await serveRoot(all);
  const { headers } = await at.ask("a.js.gz", { "accept-encoding": "gzip" });
  assertEquals([headers.get("content-encoding"), headers.get("content-type")], [null, "application/gzip"]);
  assertNotEquals(
    headers.get("etag"),
    (await at.ask("a.js", { "accept-encoding": "gzip" })).headers.get("etag"),
  );
});

Deno.test({ name: "fileResponse() sees a coding that comes and goes", ignore }, async () => {
  await using at = await serveRoot({ "a.js": "as it is" });
  const coding = async () => (await at.ask("a.js", withBr)).headers.get("content-encoding");
  const seen = [await coding()];
  await put(`${at.root}/a.js.br`, "brotli");
  seen.push(await coding());
  await Deno.remove(`${at.root}/a.js.br`);
  assertEquals([...seen, await coding()], [null, "br", null]);
});
