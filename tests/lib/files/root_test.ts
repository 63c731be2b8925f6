import { assertEquals, assertRejects } from "@std/assert";
import { find, isThere, mapFileErrors, open } from "../../../lib/files/root.ts";
import { Opens, OpensBusy } from "../../../lib/opens.ts";
import { HttpError } from "../../../lib/stream/errors.ts";
import { makeRoot } from "../../support/files.ts";
import { granted } from "../../support/granted.ts";

const ignore = !granted.files;

/** A root with `sub/in.txt`, and a file of that name outside of it. */
const inAndOut = () => makeRoot({ "sub/in.txt": "inside", "../outside/in.txt": "a secret" });

Deno.test({ name: "find() gives the real path of what a symlink leads to", ignore }, async () => {
  await using at = await inAndOut();
  await Deno.symlink("sub/in.txt", `${at.root}/link`);
  const { path, info } = await find(at.root, ["link"]);
  assertEquals([path, info.size], [await Deno.realPath(`${at.root}/sub/in.txt`), 6]);
});

Deno.test({ name: "find() throws 404 for a symlink that leads out of the root", ignore }, async () => {
  await using at = await inAndOut();
  await Deno.symlink("../outside", `${at.root}/out`);
  for (const segments of [["out"], ["out", "in.txt"]]) {
    await assertRejects(() => find(at.root, segments), HttpError, "must be that of a file");
  }
});

Deno.test({ name: "find() throws 404 for a root that is gone", ignore }, async () => {
  await assertRejects(() => find("/nowhere/at/all", []), HttpError, "must be that of a file");
});

Deno.test({ name: "open() gives the file that was found, and its state", ignore }, async () => {
  await using at = await inAndOut();
  const found = await find(at.root, ["sub", "in.txt"]);
  const opened = await open(found, new Opens());
  using _file = opened!.file;
  assertEquals([opened!.info.ino, opened!.info.size], [found.info.ino, 6]);
});

Deno.test({ name: "open() gives null for a file that another has replaced", ignore }, async () => {
  await using at = await inAndOut();
  const found = await find(at.root, ["sub", "in.txt"]);
  await Deno.rename(`${at.root}/../outside/in.txt`, found.path);
  assertEquals(await open(found, new Opens()), null);
});

Deno.test(
  { name: "open() gives null when its folder has become a symlink to the same file", ignore },
  async () => {
    await using at = await inAndOut();
    const found = await find(at.root, ["sub", "in.txt"]);
    await Deno.rename(`${at.root}/sub`, `${at.root}/../moved`);
    await Deno.symlink("../moved", `${at.root}/sub`);
    assertEquals(await open(found, new Opens()), null);
  },
);

Deno.test({ name: "open() gives null when it was led elsewhere for that moment", ignore }, async () => {
  await using at = await inAndOut();
  const found = await find(at.root, ["sub", "in.txt"]);
  const misled = new class extends Opens {
    override open = () => Deno.open(`${at.root}/../outside/in.txt`);
  }();
  assertEquals(await open(found, misled), null);
});

Deno.test({ name: "open() throws 404 for a file that is gone", ignore }, async () => {
  await using at = await inAndOut();
  const found = await find(at.root, ["sub", "in.txt"]);
  await Deno.remove(found.path);
  await assertRejects(() => open(found, new Opens()), HttpError, "must be that of a file");
});

Deno.test(
  { name: "isThere() goes by size, mtime and birth time where there is no inode", ignore },
  async () => {
    await using at = await inAndOut();
    const { path, info } = await find(at.root, ["sub", "in.txt"]);
    const state = { ...info, ino: null };
    assertEquals(isThere({ path, info: state }), true);
    for (const change of [{ size: 7 }, { mtime: new Date(0) }, { birthtime: new Date(0) }]) {
      assertEquals(isThere({ path, info: { ...state, ...change } }), false, JSON.stringify(change));
    }
  },
);

const coded = (code: string) => Object.assign(new Error("inside"), { code });

const table: [string, Error, number][] = [
  ...["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP", "ENAMETOOLONG", "EINVAL", "EISDIR", "ENXIO"].map((
    code,
  ): [string, Error, number] => [code, coded(code), 404]),
  ["NotCapable", new Deno.errors.NotCapable("inside"), 404],
  ...["EMFILE", "ENFILE", "EAGAIN"].map((code): [string, Error, number] => [code, coded(code), 503]),
  ["OpensBusy", new OpensBusy("inside"), 503],
];

for (const [name, error, status] of table) {
  Deno.test(`mapFileErrors() maps ${name} to ${status}`, async () => {
    const mapped = await assertRejects(() => mapFileErrors("a.txt", () => Promise.reject(error)), HttpError);
    assertEquals([mapped.status, mapped.message.includes("inside")], [status, false]);
    assertEquals(mapped.options.headers?.["Retry-After"], status === 503 ? "1" : undefined);
  });
}

Deno.test("mapFileErrors() leaves any other error as it is", async () => {
  await assertRejects(() => mapFileErrors("a.txt", () => Promise.reject(coded("EIO"))), Error, "inside");
});
