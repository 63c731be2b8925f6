import { assert, assertEquals, assertRejects } from "@std/assert";
import { makeFifo, overwrite, put, randomBytes, settled } from "../support/files.ts";
import { granted } from "../support/granted.ts";
import { find, type Program } from "../support/programs.ts";
import { serve, type TestServer, until } from "../support/server.ts";
import { open } from "../support/wire.ts";

const ignore = !granted.server;

/** Runs a test with a server whose root has these files. */
function test(
  name: string,
  contents: Record<string, string | Uint8Array>,
  run: (server: TestServer & { root: string }) => Promise<void>,
  { needs, ...options }: Parameters<typeof serve>[0] & { needs?: Program } = {},
): void {
  const lacks = needs !== undefined && (!granted.run || find(needs) === undefined);
  Deno.test({
    name,
    ignore: ignore || lacks,
    async fn() {
      await using server = await serve(options);
      const root = `${server.folder}/files`;
      for (const [name, content] of Object.entries(contents)) await put(`${root}/${name}`, content);
      await run(Object.assign(server, { root }));
    },
  });
}

/** What Python reads in a zip of a folder: each name with its size, and what is wrong with one. */
async function entries(server: TestServer, path = "/files/?zip"): Promise<string[]> {
  const file = `${server.folder}/a.zip`;
  const response = await fetch(server.origin + path);
  assertEquals(response.status, 200);
  await Deno.writeFile(file, response.body!);
  const script = "import zipfile, sys; z = zipfile.ZipFile(sys.argv[1]); print('bad', z.testzip())\n" +
    "for i in z.infolist(): print(i.filename, i.file_size)";
  const { stdout } = await new Deno.Command(find("python3")!, { args: ["-c", script, file] }).output();
  const [bad, ...names] = new TextDecoder().decode(stdout).trimEnd().split("\n");
  assertEquals(bad, "bad None");
  return names;
}

const tree = {
  "big.bin": randomBytes(1_000_000),
  "empty.txt": "",
  "sub/日本 é.txt": "hello",
  "sub/deep/a.txt": "a",
  ".hidden": "no",
  "sub/.git/config": "no",
};
const names = [
  "big.bin 1000000",
  "empty.txt 0",
  "sub/ 0",
  "sub/deep/ 0",
  "sub/deep/a.txt 1",
  "sub/日本 é.txt 5",
];

test("GET /files/?zip is a zip of all that is visible below", tree, async (server) => {
  assertEquals(await entries(server), names);
}, { needs: "python3" });

test("GET /files/sub/?zip has the names below that folder, and is called after it", tree, async (server) => {
  assertEquals(await entries(server, "/files/sub/?zip"), ["deep/ 0", "deep/a.txt 1", "日本 é.txt 5"]);
  const { headers } = await fetch(`${server.origin}/files/sub/?zip`, { method: "HEAD" });
  assertEquals(headers.get("content-disposition"), 'attachment; filename="sub.zip"');
}, { needs: "python3" });

test("unzip gets each file as it was, with its time", tree, async (server) => {
  const response = await fetch(`${server.origin}/files?zip`);
  await Deno.writeFile(`${server.folder}/a.zip`, response.body!);
  const unzip = (...args: string[]) =>
    new Deno.Command(find("unzip")!, { args, cwd: server.folder, env: { LANG: "C.UTF-8" } }).output();
  assertEquals((await unzip("-tq", "a.zip")).code, 0);
  await unzip("-q", "a.zip", "-d", "out");
  assertEquals(await Deno.readFile(`${server.folder}/out/big.bin`), tree["big.bin"]);
  const { mtime } = await Deno.stat(`${server.folder}/out/big.bin`);
  assert(Math.abs(mtime!.getTime() - settled.getTime()) < 2_000);
}, { needs: "unzip" });

test("a zip has what a link leads to in the root, nothing outside, and no folder in itself", {
  "a.txt": "a",
  "b/c.txt": "c",
  "../out.txt": "no",
}, async (server) => {
  await Deno.symlink(`${server.root}/a.txt`, `${server.root}/b/link.txt`);
  await Deno.symlink(`${server.root}/../out.txt`, `${server.root}/b/out.txt`);
  await Deno.symlink(server.root, `${server.root}/b/loop`);
  await makeFifo(`${server.root}/b/fifo`);
  assertEquals(await entries(server), ["a.txt 1", "b/ 0", "b/c.txt 1", "b/link.txt 1", "b/loop/ 0"]);
}, { needs: "python3" });

test("a zip of an empty folder has no names", {}, async (server) => {
  await Deno.mkdir(server.root, { recursive: true });
  assertEquals(await entries(server), []);
}, { needs: "python3" });

test("a backslash in a name separates nothing in a zip", { "a\\..\\b.txt": "b" }, async (server) => {
  assertEquals(await entries(server), ["a_.._b.txt 1"]);
}, { needs: "python3" });

test("names that differ by a backslash alone stay two in a zip, in folders too", {
  "a\\b": "1",
  "a_b": "12",
  "a__b": "123",
  "d\\e/x": "1234",
  "d_e/x": "12345",
}, async (server) => {
  assertEquals(await entries(server), [
    "a___b 1",
    "a__b 3",
    "a_b 2",
    "d__e/ 0",
    "d__e/x 4",
    "d_e/ 0",
    "d_e/x 5",
  ]);
}, { needs: "python3" });

test("HEAD of a zip has its headers, and takes no permit", tree, async (server) => {
  const { status, headers } = await fetch(`${server.origin}/files/?zip`, { method: "HEAD" });
  const seen = ["content-type", "content-length", "x-content-type-options"].map((name) => headers.get(name));
  assertEquals([status, ...seen], [200, "application/zip", null, "nosniff"]);
}, { limits: { downloads: 0 } });

test("a zip is 503 when every permit of the downloads is taken", tree, async (server) => {
  const response = await fetch(`${server.origin}/files/?zip`);
  await response.body?.cancel();
  assertEquals(response.status, 503);
}, { limits: { downloads: 0 } });

for (const [what, limits] of [["names", { zipEntries: 5 }], ["bytes", { zipBytes: 999_999 }]] as const) {
  test(`a folder with more ${what} than the limit is 400, and says the limit`, tree, async (server) => {
    const response = await fetch(`${server.origin}/files/?zip`);
    const { error } = await response.json();
    assertEquals(response.status, 400);
    assert(error.includes(`${Object.values(limits)[0]} ${what}`), error);
  }, { limits });
}

test("a folder with as many names and bytes as the limits is packed", tree, async (server) => {
  assertEquals((await entries(server)).length, 6);
}, { limits: { zipEntries: 6, zipBytes: 1_000_006 }, needs: "python3" });

/** Two files of which the second is not reached while a client that does not read has the beginning. */
const large = { "a.bin": randomBytes(20_000_000), "b.bin": "b" };

for (
  const [what, change] of [
    ["becomes shorter", (root: string) => Deno.truncate(`${root}/a.bin`, 19_000_000)],
    ["is overwritten", (root: string) => overwrite(`${root}/a.bin`, 20_000_000)],
    ["has gone", (root: string) => Deno.remove(`${root}/b.bin`)],
  ] as [string, (root: string) => Promise<void>][]
) {
  test(`a zip is cut, and reported, when a file ${what} meanwhile`, large, async (server) => {
    const response = await fetch(`${server.origin}/files/?zip`);
    const reader = response.body!.getReader();
    await reader.read();
    await change(server.root);
    await assertRejects(async () => {
      while (!(await reader.read()).done);
    });
    await until(() => server.app.limits.downloads.used === 0);
    await until(() => server.reports().includes(`the download of "files.zip" was cut`));
  });
}

test("a client that leaves stops its zip: no more is read, and the file is closed", large, async (server) => {
  const reading = await open(`${server.origin}/files/?zip`);
  reading.leave();
  await until(() => server.app.limits.downloads.used === 0);
  assert(server.app.traffic.bytes < 15_000_000, String(server.app.traffic.bytes));
});

test("?zip of a file is the file", { "a.txt": "a" }, async (server) => {
  assertEquals(await (await fetch(`${server.origin}/files/a.txt?zip`)).text(), "a");
});
