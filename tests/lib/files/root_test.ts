import { assert, assertEquals, assertRejects } from "@std/assert";
import { HttpError } from "../../../lib/stream/errors.ts";
import { list } from "../../../lib/files/listing.ts";
import { find, open } from "../../../lib/files/root.ts";
import { granted } from "../../support/granted.ts";

const ignore = !granted.files;

/** A root with `sub/in.txt`, and a larger file of that name outside of it. */
async function makeRoot() {
  const folder = await Deno.makeTempDir({ prefix: "weir-test-" });
  const root = `${folder}/root`;
  await Deno.mkdir(`${root}/sub`, { recursive: true });
  await Deno.mkdir(`${folder}/outside`);
  await Deno.writeTextFile(`${root}/sub/in.txt`, "inside");
  await Deno.writeTextFile(`${folder}/outside/in.txt`, "a secret");
  const [inside, outside] = [
    Deno.lstatSync(`${root}/sub/in.txt`),
    Deno.lstatSync(`${folder}/outside/in.txt`),
  ];
  const dispose = () => Deno.remove(folder, { recursive: true });
  return { root, inside, outside, [Symbol.asyncDispose]: dispose };
}

Deno.test({ name: "find() is not fooled by a swap in step with its looks", ignore }, async () => {
  await using made = await makeRoot();
  const { root, inside, outside } = made;
  const { lstatSync } = Deno;
  try {
    // Every schedule that repeats after three or four looks: a folder at some, a symlink that leads out at the others.
    for (const period of [3, 4]) {
      for (let schedule = 1; schedule < 2 ** period; schedule++) {
        for (let first = 0; first < 6; first++) {
          let looks = 0;
          Deno.lstatSync = ((path: string) => {
            const look = looks++;
            // The first look is at the file; the way is looked at next.
            const out = look === 0 || look >= first && (schedule >> look % period & 1) === 1;
            if (!out || path === root) return lstatSync(path);
            return path.endsWith("in.txt")
              ? outside
              : { ...lstatSync(path), isDirectory: false, isSymlink: true };
          }) as typeof Deno.lstatSync;
          const found = await find(root, ["sub", "in.txt"]).catch((error) => {
            assert(error instanceof HttpError && error.status === 404, error);
          });
          assert(found === undefined || found.info.ino === inside.ino, `${period} ${schedule} ${first}`);
        }
      }
    }
  } finally {
    Deno.lstatSync = lstatSync;
  }
});

Deno.test({ name: "list() tells nothing of what it saw through a swapped folder", ignore }, async () => {
  await using made = await makeRoot();
  const { root, inside, outside } = made;
  const folder = await find(root, ["sub"]);
  const { lstat } = Deno;
  // The names are looked at while the folder is another's, which has a file of the same name.
  Deno.lstat = () => Promise.resolve(outside);
  try {
    const { entries } = await list(root, ["sub"], folder, 10);
    assertEquals(entries.map(({ name, size }) => [name, size]), [["in.txt", inside.size]]);
  } finally {
    Deno.lstat = lstat;
  }
});

Deno.test({
  name: "open() does not wait for a FIFO that has taken the place of a file",
  ignore: !granted.run,
}, async () => {
  await using made = await makeRoot();
  const { root } = made;
  const path = `${root}/sub/in.txt`;
  const found = await find(root, ["sub", "in.txt"]);
  await Deno.remove(path);
  await new Deno.Command("mkfifo", { args: [path] }).output();
  let late: ReturnType<typeof setTimeout>;
  const waiting = new Promise((resolve) => late = setTimeout(resolve, 2_000, "waiting"));
  const opened = open(found);
  const result = await Promise.race([opened, waiting]);
  clearTimeout(late!);
  // Gives the thread back that it would hold.
  if (result === "waiting") (await Deno.open(path, { write: true })).close();
  await opened;
  assertEquals(result, null);
});

Deno.test({ name: "open() gives what was found and nothing that took its place", ignore }, async () => {
  await using made = await makeRoot();
  const { root, inside } = made;
  const found = await find(root, ["sub", "in.txt"]);
  const opened = await open(found);
  using file = opened!.file;
  const { size, mtime, ctime, ino, dev } = opened!.info;
  assertEquals([size, mtime, ctime, ino, dev], [6, inside.mtime, inside.ctime, inside.ino, inside.dev]);
  const view = new Uint8Array(10);
  const reading = file.read(view, 2);
  // A read that is under way ends well, and the file is closed once.
  file[Symbol.dispose]();
  assertEquals([await reading, new TextDecoder().decode(view.subarray(0, 4))], [4, "side"]);
  await Deno.rename(`${root}/../outside/in.txt`, `${root}/sub/in.txt`);
  assertEquals(await open(found), null);
  await Deno.remove(`${root}/sub/in.txt`);
  await assertRejects(() => open(found), HttpError, "no such file");
});
