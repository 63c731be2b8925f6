import { assert, assertEquals, assertRejects } from "@std/assert";
import { type BodyEdge, fileBody, readWhole } from "../../../lib/files/file_body.ts";
import type { Piece } from "../../../lib/files/multipart.ts";
import { OpenFile } from "../../../lib/open_file.ts";
import { granted } from "../../support/granted.ts";

const ignore = !granted.files;
const bytes = (text: string) => new TextEncoder().encode(text);

/** A file of 300,000 bytes that is open, and a body of it with what the body told. */
async function open(pieces: Piece[], edge: Partial<BodyEdge> = {}) {
  const content = new Uint8Array(300_000).map((_, i) => i % 251);
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, content);
  const file = await OpenFile.open(path);
  const told: [string, number][] = [];
  const body = fileBody(file, pieces, {
    mayHurry: () => false,
    releasesChunks: false,
    sent: () => {},
    ended: (how, sent) => {
      told.push([how, sent]);
      file[Symbol.dispose]();
    },
    ...edge,
  });
  return { content, path, file, body, told, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

Deno.test(
  { name: "fileBody() sends its pieces in their order, and is complete with the last byte", ignore },
  async () => {
    await using opened = await open([bytes("<"), { first: 100, last: 250_000 }, bytes("|"), {
      first: 7,
      last: 7,
    }, bytes(">")]);
    const { content, body, told } = opened;
    const expected = [
      bytes("<"),
      content.subarray(100, 250_001),
      bytes("|"),
      content.subarray(7, 8),
      bytes(">"),
    ];
    assertEquals(await new Response(body).bytes(), await new Response(new Blob(expected)).bytes());
    assertEquals(told, [["complete", 249_905]]);
  },
);

Deno.test({
  name: "fileBody() reads nothing before it is asked, and then small views for a reader of unknown speed",
  ignore,
}, async () => {
  await using opened = await open([{ first: 0, last: 299_999 }]);
  const { file, body, told } = opened;
  const read = file.read.bind(file);
  let reads = 0;
  file.read = (view, position) => (reads++, read(view, position));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(reads, 0);
  for await (const chunk of body) assert(chunk.length <= 65_536);
  assertEquals(told, [["complete", 300_000]]);
});

Deno.test({
  name: "fileBody() frees a chunk when the next is asked for, if the reader is done with it by then",
  ignore,
}, async () => {
  await using opened = await open([{ first: 0, last: 299_999 }], { releasesChunks: true });
  const reader = opened.body.getReader();
  const first = (await reader.read()).value!;
  assertEquals(first.buffer.detached, false);
  const second = (await reader.read()).value!;
  assertEquals([first.buffer.detached, second.buffer.detached], [true, false]);
  await reader.cancel();
});

Deno.test({ name: "fileBody() fails when the file is shorter than its pieces", ignore }, async () => {
  await using opened = await open([{ first: 200_000, last: 400_000 }]);
  await assertRejects(() => new Response(opened.body).bytes(), Error, "shorter");
  assertEquals(opened.told, [["cut", 100_000]]);
});

Deno.test({ name: "fileBody() that is cancelled while it reads ends once, and is cut", ignore }, async () => {
  await using opened = await open([{ first: 0, last: 299_999 }]);
  const reader = opened.body.getReader();
  const pending = reader.read();
  await reader.cancel();
  assertEquals((await pending).done, true);
  assertEquals(opened.told, [["cut", 0]]);
});

Deno.test({ name: "fileBody() cuts a reader that takes nothing for five minutes", ignore }, async () => {
  const { setInterval } = globalThis;
  let second!: () => void;
  globalThis.setInterval = ((callback: () => void, ms: number) => {
    assertEquals(ms, 1000);
    second = callback;
    return 0;
  }) as unknown as typeof setInterval;
  await using opened = await open([{ first: 0, last: 299_999 }]).finally(() =>
    globalThis.setInterval = setInterval
  );
  const reader = opened.body.getReader();
  await reader.read();
  for (let n = 0; n < 200; n++) second();
  await reader.read();
  for (let n = 0; n < 299; n++) second();
  assertEquals(opened.told, []);
  second();
  await assertRejects(() => reader.read(), Error, "five minutes");
  assertEquals(opened.told, [["cut", 131_072]]);
});

Deno.test({ name: "readWhole() is null when the file is shorter by now", ignore }, async () => {
  await using opened = await open([]);
  const { file, body, content } = opened;
  assertEquals(await readWhole(file, [{ first: 299_990, last: 300_010 }], 21), null);
  assertEquals(
    await readWhole(file, [{ first: 5, last: 9 }, bytes("x")], 6),
    Uint8Array.of(...content.subarray(5, 10), 120),
  );
  await body.cancel();
});
