import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fileBody } from "../../../lib/files/file_body.ts";
import { PieceReader } from "../../../lib/files/piece_reader.ts";
import { Limiter } from "../../../lib/stream/limiter.ts";
import { OpenBodies } from "../../../lib/stream/open_bodies.ts";
import { assertSameBytes, makeRoot, overwrite, randomBytes } from "../../support/files.ts";
import { granted } from "../../support/granted.ts";

const ignore = !granted.files;
const content = randomBytes(300_000);

/** A body of bytes `first` to `last` of a file of 300,000, and what it reported. */
async function open({ first = 0, last = 299_999, overTcp = false } = {}) {
  const made = await makeRoot({ "a.bin": content });
  const file = await Deno.open(`${made.root}/a.bin`);
  const downloads = new Limiter(1);
  const draining = new AbortController();
  const reported: (string | number)[] = [];
  const bodies = new OpenBodies(draining.signal);
  const exchange = {
    method: "GET",
    url: new URL("http://localhost/"),
    bodies,
    overTcp,
    opened: () => void reported.push("opened"),
    sent: (bytes: number) => void reported.push(bytes),
    ended: (how: string) => void reported.push(how),
  };
  const reader = new PieceReader(file, [{ first, last }], file.statSync());
  const body = fileBody(exchange, reader, downloads.tryAcquire()!, "a.bin");
  return {
    path: `${made.root}/a.bin`,
    file,
    body,
    bodies,
    downloads,
    draining,
    reported,
    [Symbol.asyncDispose]: made[Symbol.asyncDispose],
  };
}

Deno.test({ name: "fileBody() gives the bytes of its pieces", ignore }, async () => {
  await using at = await open({ first: 100, last: 250_000 });
  assertSameBytes(await new Response(at.body).bytes(), content.subarray(100, 250_001));
});

Deno.test({ name: "fileBody() reports its bytes and its end", ignore }, async () => {
  await using at = await open();
  await new Response(at.body).bytes();
  assertEquals(at.reported, ["opened", 262_144, 37_856, "complete"]);
});

Deno.test({ name: "fileBody() gives back its file and its permit at the end", ignore }, async () => {
  await using at = await open();
  await new Response(at.body).bytes();
  assertThrows(() => at.file.statSync(), Deno.errors.BadResource);
  assertEquals([at.downloads.used, at.bodies.size], [0, 0]);
});

Deno.test({ name: "fileBody() reads nothing before it is asked", ignore }, async () => {
  await using at = await open();
  await at.file.stat();
  assertEquals(at.file.seekSync(0, Deno.SeekMode.Current), 0);
  await at.body.cancel();
});

Deno.test(
  { name: "fileBody() that is cancelled before the first pull closes its file", ignore },
  async () => {
    await using at = await open();
    await at.body.cancel();
    assertThrows(() => at.file.statSync(), Deno.errors.BadResource);
    assertEquals([at.reported, at.downloads.used, at.bodies.size], [["opened", "cut"], 0, 0]);
  },
);

Deno.test({ name: "fileBody() that is cancelled while it reads ends once, and is cut", ignore }, async () => {
  await using at = await open();
  const reader = at.body.getReader();
  const pending = reader.read();
  await reader.cancel();
  assertEquals((await pending).done, true);
  assertThrows(() => at.file.statSync(), Deno.errors.BadResource);
  assertEquals(at.reported, ["opened", "cut"]);
});

Deno.test({ name: "fileBody() fails when the file has become shorter", ignore }, async () => {
  await using at = await open({ first: 200_000, last: 400_000 });
  await assertRejects(() => new Response(at.body).bytes(), Error, "shorter");
  assertEquals(at.reported, ["opened", 100_000, "cut"]);
  assertEquals([at.downloads.used, at.bodies.size], [0, 0]);
});

/** What another program does to the file after the first chunk was sent; whether the body is still one version's. */
const changes: [name: string, isWhole: boolean, change: (path: string) => Promise<void>][] = [
  ["is overwritten in place", false, (path) => overwrite(path, 300_000)],
  ["is overwritten in place by less, and filled up", false, async (path) => {
    await Deno.truncate(path, 10);
    await overwrite(path, 10);
    await Deno.truncate(path, 300_000);
  }],
  ["is overwritten in its last byte alone", false, (path) => overwrite(path, 1, 299_999)],
  ["is overwritten and given an old mtime", false, async (path) => {
    await overwrite(path, 300_000);
    await Deno.utime(path, 1, 1);
  }],
  ["is appended to", true, (path) => Deno.writeFile(path, new Uint8Array(10), { append: true })],
  ["is renamed", true, (path) => Deno.rename(path, `${path}.1`)],
  ["is replaced by another", true, async (path) => {
    await Deno.writeFile(`${path}.new`, new Uint8Array(300_000));
    await Deno.rename(`${path}.new`, path);
  }],
  ["is removed", true, (path) => Deno.remove(path)],
];

for (const [name, isWhole, change] of changes) {
  Deno.test(
    { name: `fileBody() ${isWhole ? "goes on" : "fails"} when the file ${name}`, ignore },
    async () => {
      await using at = await open();
      const reader = at.body.getReader();
      const first = (await reader.read()).value!;
      await change(at.path);
      if (isWhole) {
        const rest = (await reader.read()).value!;
        assertSameBytes(await new Response(new Blob([first, rest])).bytes(), content);
        assertEquals((await reader.read()).done, true);
      } else {
        await assertRejects(() => reader.read(), Error, "overwritten");
        assertEquals([at.reported, at.downloads.used], [["opened", 262_144, "cut"], 0]);
      }
    },
  );
}

Deno.test({ name: "fileBody() fails when the file cannot be read", ignore }, async () => {
  await using at = await open();
  at.file.close();
  await assertRejects(() => new Response(at.body).bytes());
  assertEquals([at.reported, at.downloads.used, at.bodies.size], [["opened", "cut"], 0, 0]);
});

Deno.test({ name: "fileBody() cuts a client that takes nothing for five minutes", ignore }, async () => {
  await using at = await open();
  const reader = at.body.getReader();
  await reader.read();
  for (let n = 0; n < 300; n++) await at.bodies.tick();
  await assertRejects(() => reader.read(), Error, "five minutes");
  assertEquals(at.reported, ["opened", 262_144, "cut"]);
  assertThrows(() => at.file.statSync(), Deno.errors.BadResource);
});

Deno.test({ name: "fileBody() counts the five minutes from the last chunk", ignore }, async () => {
  await using at = await open();
  const reader = at.body.getReader();
  for (let n = 0; n < 299; n++) await at.bodies.tick();
  await reader.read();
  for (let n = 0; n < 299; n++) await at.bodies.tick();
  assertEquals((await reader.read()).value!.length, 37_856);
  await reader.cancel();
});

Deno.test({ name: "fileBody() goes on while the server drains", ignore }, async () => {
  await using at = await open();
  at.draining.abort();
  assertSameBytes(await new Response(at.body).bytes(), content);
});

Deno.test(
  { name: "fileBody() frees a chunk that was sent over TCP when the next is asked for", ignore },
  async () => {
    await using at = await open({ overTcp: true });
    const reader = at.body.getReader();
    const first = (await reader.read()).value!;
    assertEquals(first.buffer.detached, false);
    const second = (await reader.read()).value!;
    assertEquals([first.buffer.detached, second.buffer.detached], [true, false]);
    await reader.cancel();
  },
);
