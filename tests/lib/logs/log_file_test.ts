import { assertEquals } from "@std/assert";
import { granted } from "../../support/granted.ts";
import { LogFolder } from "../../support/log_reading.ts";

Deno.test({
  name: "has() compares bytes at a position, up to the end of the file",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    folder.append("abcdef");
    using file = (await folder.place.open())!;
    const bytes = (text: string) => new TextEncoder().encode(text);
    assertEquals([file.has(2, bytes("cd")), file.has(2, bytes("ce")), file.has(4, bytes("efg"))], [
      true,
      false,
      false,
    ]);
  },
});
