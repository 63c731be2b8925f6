import { assertEquals, assertThrows } from "@std/assert";
import type { Piece } from "../../../lib/files/multipart.ts";
import { PieceReader } from "../../../lib/files/piece_reader.ts";
import { assertSameBytes, makeRoot, overwrite, randomBytes } from "../../support/files.ts";
import { granted } from "../../support/granted.ts";

const ignore = !granted.files;
const content = randomBytes(3_000);
const text = (value: string) => new TextEncoder().encode(value);

/** The pieces of a file of 3,000 bytes. */
async function open(pieces: Piece[]) {
  const made = await makeRoot({ "a.bin": content });
  const file = await Deno.open(`${made.root}/a.bin`);
  return {
    ...made,
    file,
    reader: new PieceReader(file, pieces, file.statSync()),
    [Symbol.asyncDispose]: made[Symbol.asyncDispose],
  };
}

Deno.test({ name: "PieceReader reads at most a view, and never beyond a range", ignore }, async () => {
  await using at = await open([{ first: 100, last: 299 }, text("|"), { first: 0, last: 0 }]);
  const lengths = [];
  while (at.reader.left > 0) lengths.push((await at.reader.read(150))!.length);
  at.reader.cancel();
  assertEquals(lengths, [150, 50, 1, 1]);
});

Deno.test({ name: "PieceReader goes back after a range that ends with the file", ignore }, async () => {
  await using at = await open([{ first: 2_900, last: 2_999 }, text("|"), { first: 0, last: 99 }]);
  const expected = [...content.subarray(2_900), ...text("|"), ...content.subarray(0, 100)];
  assertSameBytes((await at.reader.readAll())!, Uint8Array.from(expected));
  at.reader.cancel();
});

Deno.test({ name: "PieceReader reads the rest at once", ignore }, async () => {
  await using at = await open([{ first: 0, last: 2_999 }]);
  await at.reader.read(1_000);
  assertSameBytes((await at.reader.readAll())!, content.subarray(1_000));
  at.reader.cancel();
});

Deno.test({ name: "PieceReader gives null when the file is shorter than its pieces", ignore }, async () => {
  await using at = await open([{ first: 2_990, last: 3_010 }]);
  assertEquals(await at.reader.readAll(), null);
  at.reader.cancel();
});

Deno.test(
  { name: "PieceReader gives null for the last bytes of a file that was overwritten", ignore },
  async () => {
    for (const pieces of [[{ first: 0, last: 2_999 }], [{ first: 0, last: 99 }, text("|")]]) {
      await using at = await open(pieces);
      await at.reader.read(100);
      await overwrite(`${at.root}/a.bin`, content.length);
      assertEquals(await at.reader.readAll(), null);
      at.reader.cancel();
    }
  },
);

Deno.test({ name: "PieceReader closes the file on cancel", ignore }, async () => {
  await using at = await open([{ first: 0, last: 2_999 }]);
  at.reader.cancel();
  assertThrows(() => at.file.statSync(), Deno.errors.BadResource);
});

Deno.test({ name: "PieceReader ends a read that is under way on cancel", ignore }, async () => {
  await using at = await open([{ first: 0, last: 2_999 }]);
  const reading = at.reader.read(1_000);
  at.reader.cancel();
  assertEquals(await reading, null);
  assertThrows(() => at.file.statSync(), Deno.errors.BadResource);
});
