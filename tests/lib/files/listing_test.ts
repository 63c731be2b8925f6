import { assertEquals, assertRejects } from "@std/assert";
import { list } from "../../../lib/files/listing.ts";
import { find } from "../../../lib/files/root.ts";
import { HttpError } from "../../../lib/stream/errors.ts";
import { makeFifo, makeRoot } from "../../support/files.ts";
import { granted } from "../../support/granted.ts";

const ignore = !granted.files;

async function namesOf(root: string, segments: string[], max = 100) {
  const { entries, truncated } = await list(await find(root, segments), max);
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
  const { entries, hidden } = await list(await find(at.root, []), 100);
  assertEquals([entries.map(({ name }) => name), hidden], [["plain.txt", "real\ufffd.txt"], 3]);
});

Deno.test({ name: "list() counts no link that leads out as hidden, whatever its name", ignore }, async () => {
  await using at = await makeRoot({});
  await Deno.symlink("/etc", `${at.root}/out\ufffd`);
  const { entries, hidden } = await list(await find(at.root, []), 9);
  assertEquals([entries, hidden], [[], 0]);
});

/** All names, part by part. */
async function partsOf(root: string, max: number) {
  const parts: string[][] = [];
  for (let after: string | null = ""; after !== null && parts.length < 100;) {
    const { entries, next, truncated } = await list(await find(root, []), max, after);
    assertEquals(truncated, next !== null);
    parts.push(entries.map(({ name }) => name));
    after = next;
  }
  return parts;
}

Deno.test({ name: "list() gives a folder in parts, in order", ignore }, async () => {
  await using at = await makeRoot({ b: "", "B": "", "ü": "", c: "", "a b": "" });
  assertEquals(await partsOf(at.root, 2), [["B", "a b"], ["b", "c"], ["ü"]]);
});

Deno.test({ name: "list() gives a folder that fits exactly in one part", ignore }, async () => {
  await using at = await makeRoot({ a: "", b: "" });
  assertEquals(await partsOf(at.root, 2), [["a", "b"]]);
});

Deno.test({ name: "list() goes on after a part in which nothing may be shown", ignore }, async () => {
  await using at = await makeRoot({ d: "" });
  for (const name of ["a", "b", "c"]) await Deno.symlink("/etc", `${at.root}/${name}`);
  assertEquals(await partsOf(at.root, 2), [[], ["d"]]);
});

Deno.test(
  { name: "list() gives each of thousands of names once, in whatever order they were made", ignore },
  async () => {
    await using at = await makeRoot({});
    const names = Array.from({ length: 3_000 }, (_, n) => `${n * 7_919 % 3_000}`);
    for (const name of names) Deno.writeTextFileSync(`${at.root}/${name}`, "");
    assertEquals((await partsOf(at.root, 100)).flat(), names.sort());
  },
);

Deno.test({ name: "list() goes on after a name that has gone", ignore }, async () => {
  await using at = await makeRoot({ a: "", c: "" });
  const { entries } = await list(await find(at.root, []), 9, "b");
  assertEquals(entries.map(({ name }) => name), ["c"]);
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
    await assertRejects(() => list(folder, 10), HttpError, "must be that of a file");
  },
);

Deno.test(
  { name: "list() with followLinks shows what a folder that became a symlink leads to", ignore },
  async () => {
    await using at = await makeRoot({ "sub/in.txt": "", "../outside/out.txt": "" });
    const folder = await find(at.root, ["sub"], true);
    await Deno.rename(`${at.root}/sub`, `${at.root}/kept`);
    await Deno.symlink("../outside", `${at.root}/sub`);
    const { entries } = await list(folder, 10);
    assertEquals(entries.map(({ name }) => name), ["out.txt"]);
  },
);

Deno.test({ name: "list() lists the folder that has replaced the one that was found", ignore }, async () => {
  await using at = await makeRoot({ "sub/old.txt": "", "next/new.txt": "" });
  const folder = await find(at.root, ["sub"]);
  await Deno.rename(`${at.root}/sub`, `${at.root}/old`);
  await Deno.rename(`${at.root}/next`, `${at.root}/sub`);
  const { entries } = await list(folder, 10);
  assertEquals(entries.map(({ name }) => name), ["new.txt"]);
});
