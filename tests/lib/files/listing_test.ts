import { assertEquals, assertRejects } from "@std/assert";
import { list } from "../../../lib/files/listing.ts";
import { find } from "../../../lib/files/root.ts";
import { HttpError } from "../../../lib/stream/errors.ts";
import { makeFifo, makeRoot } from "../../support/files.ts";
import { granted } from "../../support/granted.ts";

const ignore = !granted.files;

async function namesOf(root: string, segments: string[], max = 100) {
  const { entries, truncated } = await list(root, segments, await find(root, segments), max);
  return { names: entries.map(({ name }) => name), truncated };
}

Deno.test({ name: "list() gives the names that could be asked for, sorted", ignore }, async () => {
  await using at = await makeRoot({ "b.txt": "b", "a/x": "", ".hidden": "", "a\\b": "" });
  await Deno.symlink("/etc", `${at.root}/out`);
  await Deno.symlink("a", `${at.root}/in`);
  assertEquals(await namesOf(at.root, []), { names: ["a", "a\\b", "b.txt", "in"], truncated: false });
});

Deno.test({ name: "list() leaves out a FIFO", ignore: !granted.run }, async () => {
  await using at = await makeRoot({ "a.txt": "a" });
  await makeFifo(`${at.root}/fifo`);
  assertEquals((await namesOf(at.root, [])).names, ["a.txt"]);
});

/** Makes an empty file by a name that is not UTF-8, which Deno itself cannot; \\NNN is a byte. */
async function makeOdd(path: string): Promise<void> {
  await new Deno.Command("sh", { args: ["-c", `: > "$(printf '${path}')"`] }).output();
}

Deno.test({ name: "list() counts names that are not UTF-8 as hidden", ignore: !granted.run }, async () => {
  await using at = await makeRoot({ "plain.txt": "", "real\ufffd.txt": "" });
  for (const name of ["caf\\351.txt", "caf\\350.txt", "real\\377.txt"]) await makeOdd(`${at.root}/${name}`);
  const { entries, hidden } = await list(at.root, [], await find(at.root, []), 100);
  assertEquals([entries.map(({ name }) => name), hidden], [["plain.txt", "real\ufffd.txt"], 3]);
});

Deno.test({ name: "list() counts no link that leads out as hidden, whatever its name", ignore }, async () => {
  await using at = await makeRoot({});
  await Deno.symlink("/etc", `${at.root}/out\ufffd`);
  assertEquals(await list(at.root, [], await find(at.root, []), 9), {
    entries: [],
    truncated: false,
    hidden: 0,
  });
});

Deno.test({ name: "list() stops at its limit and says so", ignore }, async () => {
  await using at = await makeRoot({ a: "", b: "", c: "" });
  const { names, truncated } = await namesOf(at.root, [], 2);
  assertEquals([names.length, truncated], [2, true]);
});

Deno.test({ name: "list() lists all of a folder with thousands of names", ignore }, async () => {
  await using at = await makeRoot({});
  for (let n = 0; n < 3_000; n++) Deno.writeTextFileSync(`${at.root}/${n}`, "");
  assertEquals((await namesOf(at.root, [], 10_000)).names.length, 3_000);
});

Deno.test(
  { name: "list() shows nothing through a folder that became a symlink out of the root", ignore },
  async () => {
    await using at = await makeRoot({ "sub/in.txt": "", "../outside/secret.txt": "" });
    const folder = await find(at.root, ["sub"]);
    await Deno.rename(`${at.root}/sub`, `${at.root}/kept`);
    await Deno.symlink("../outside", `${at.root}/sub`);
    await assertRejects(() => list(at.root, ["sub"], folder, 10), HttpError, "no such file");
  },
);

Deno.test({ name: "list() lists the folder that has replaced the one that was found", ignore }, async () => {
  await using at = await makeRoot({ "sub/old.txt": "", "next/new.txt": "" });
  const folder = await find(at.root, ["sub"]);
  await Deno.rename(`${at.root}/sub`, `${at.root}/old`);
  await Deno.rename(`${at.root}/next`, `${at.root}/sub`);
  const { entries } = await list(at.root, ["sub"], folder, 10);
  assertEquals(entries.map(({ name }) => name), ["new.txt"]);
});
