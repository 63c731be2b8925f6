import { assert, assertEquals } from "@std/assert";
import { granted } from "./support/granted.ts";
import { find } from "./support/programs.ts";
import { readmeBlocks } from "./support/readme.ts";

const ignore = !granted.run || find("systemd-analyze") === undefined;

/** README's units by their file names; the second is the first with the lines that it has in place of their like. */
async function units(): Promise<Map<string, string>> {
  const blocks = (await readmeBlocks()).filter(({ language }) => language === "ini");
  const [[one, unit], [several, lines]] = blocks.map(({ code }) =>
    /^# \/etc\/systemd\/system\/(.*)\n([^]*)$/.exec(code)!.slice(1)
  );
  const changed = lines.match(/^\w+=(?:.*\\\n)*.*$/gm)!.reduce(
    (unit, line) => unit.replace(RegExp(`^${line.split("=")[0]}=.*$`, "m"), line),
    unit,
  );
  return new Map([[one, unit], [several, changed]]);
}

for (const name of ["weir.service", "weir@.service"]) {
  Deno.test({ name: `systemd-analyze finds README's ${name} exposed by at most 3.0`, ignore }, async () => {
    const folder = await Deno.makeTempDir({ prefix: "weir-unit-" });
    try {
      const unit = (await units()).get(name)!;
      await Deno.writeTextFile(`${folder}/${name}`, unit);
      const args = ["security", "--offline=true", "--no-pager", "--threshold=30", `${folder}/${name}`];
      const { code, stdout } = await new Deno.Command(find("systemd-analyze")!, { args }).output();
      const said = new TextDecoder().decode(stdout);
      assert(said.includes("Overall exposure level"), said);
      assertEquals(code, 0, said);
      // Deno does not start with it.
      assert(!unit.includes("MemoryDenyWriteExecute"));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
