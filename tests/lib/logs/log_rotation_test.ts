import { assertEquals } from "@std/assert";
import { newer } from "../../../lib/logs/rotation.ts";
import { granted } from "../../support/granted.ts";
import { LogFolder } from "../../support/log_reading.ts";

Deno.test({
  name: "the newer files come oldest first: numbers count down, dates by their last change, then by name",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    const at = (name: string, seconds: number) => {
      folder.append("x\n", `${folder.path}/${name}`);
      Deno.utimeSync(`${folder.path}/${name}`, seconds, seconds);
    };
    for (
      const [name, seconds] of [["d.log-20300101", 1], ["d.log-20300102", 1], ["d.log-20300103", 3], [
        "d.log",
        4,
      ]] as const
    ) {
      at(name, seconds);
    }
    for (
      const [name, seconds] of [["n.log.10", 9], ["n.log.9", 1], ["n.log.2", 5], ["n.log.1", 2], [
        "n.log",
        1,
      ]] as const
    ) {
      at(name, seconds);
    }
    const after = async (base: string, name: string) => {
      const place = (base: string) => folder.placeOf(`${folder.path}/${base}`);
      using file = (await place(name).open())!;
      const { files, complete } = await newer(place(base), file);
      return [...files.map(({ name }) => name), complete];
    };
    assertEquals(await after("d.log", "d.log-20300101"), ["d.log-20300102", "d.log-20300103", "d.log", true]);
    assertEquals(await after("n.log", "n.log.10"), ["n.log.9", "n.log.2", "n.log.1", "n.log", true]);
    assertEquals(await after("n.log", "n.log.9"), ["n.log.2", "n.log.1", "n.log", false]);
    assertEquals(await after("n.log", "n.log.2"), ["n.log.1", "n.log", true]);
  },
});
