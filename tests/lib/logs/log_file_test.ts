import { assertEquals, assertRejects } from "@std/assert";
import { granted } from "../../support/granted.ts";
import { LogFolder } from "../../support/log_reading.ts";

function test(name: string, run: (folder: LogFolder) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !granted.files,
    async fn() {
      await using folder = new LogFolder();
      folder.append("abcdef");
      await run(folder);
    },
  });
}

test("closing waits for the read that is under way", async (folder) => {
  const file = (await folder.place.open())!;
  const buffer = new Uint8Array(6);
  const read = file.readOnce(0, buffer);
  file[Symbol.dispose]();
  file[Symbol.dispose]();
  assertEquals([await read, new TextDecoder().decode(buffer)], [6, "abcdef"]);
});

test("a second read at once is refused, since it would move the first", async (folder) => {
  using file = (await folder.place.open())!;
  const read = file.readOnce(0, new Uint8Array(2));
  await assertRejects(() => file.readOnce(4, new Uint8Array(2)), Error, "twice");
  assertEquals(await read, 2);
});

test("what it has is compared at a place, up to the end of the file", async (folder) => {
  using file = (await folder.place.open())!;
  const bytes = (text: string) => new TextEncoder().encode(text);
  assertEquals([file.has(2, bytes("cd")), file.has(2, bytes("ce")), file.has(4, bytes("efg"))], [
    true,
    false,
    false,
  ]);
});
