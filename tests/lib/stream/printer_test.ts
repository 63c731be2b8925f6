import { assert, assertEquals } from "@std/assert";
import { Printer } from "../../../lib/stream/printer.ts";

/** A pipe that takes `piece` bytes at a time, and nothing until it is read. */
function pipe(piece = 65_536) {
  const { promise: isRead, resolve: read } = Promise.withResolvers<void>();
  let text = "";
  return {
    read,
    text: () => text,
    async write(bytes: Uint8Array): Promise<number> {
      await isRead;
      text += new TextDecoder().decode(bytes.subarray(0, piece));
      return Math.min(piece, bytes.length);
    },
  };
}

Deno.test("lines are printed whole and in order, however little a write takes", async () => {
  const target = pipe(3);
  const printer = new Printer(target);
  target.read();
  for (const line of ["one", "two\nand more", ""]) printer.print(line);
  await printer.written;
  assertEquals(target.text(), "one\ntwo\nand more\n\n");
});

Deno.test("nobody reads: what waits is bounded, and what was lost is told once there is room", async () => {
  const target = pipe();
  const printer = new Printer(target);
  const line = "x".repeat(999);
  for (let n = 0; n < 10_000; n++) printer.print(line);
  target.read();
  await printer.written;
  const lines = target.text().trimEnd().split("\n");
  const lost = Number(/^(\d+) lines were lost: nobody read them in time$/.exec(lines.pop()!)?.[1]);
  assertEquals(lines.length + lost, 10_000);
  assert(lines.length < 1_000);
  printer.print("after");
  await printer.written;
  assert(target.text().endsWith(" in time\nafter\n"));
});

Deno.test("a reader that has gone costs its lines, and nothing else", async () => {
  let fails = true;
  let text = "";
  const printer = new Printer({
    write(bytes) {
      if (fails) return Promise.reject(new Deno.errors.BrokenPipe());
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  });
  printer.print("lost");
  await printer.written;
  fails = false;
  printer.print("kept");
  await printer.written;
  assertEquals(text, "kept\n");
});
