import { assertEquals } from "@std/assert";
import { granted } from "../support/granted.ts";

const folder = new URL("../../handlers/dashboard/", import.meta.url);
const ignore = !granted.files;

/** The literals that each script gives to `t()`, and its other calls of it. */
async function calls(): Promise<{ keys: Set<string>; others: string[] }> {
  const keys = new Set<string>();
  const others: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".js") || name === "words.js") continue;
    const script = await Deno.readTextFile(new URL(name, folder));
    for (const [call, text] of script.matchAll(/(?<![\w.])t\(\s*(?:("(?:[^"\\]|\\.)*")|.{0,20})/g)) {
      if (text === undefined) others.push(`${name}: ${call}`);
      else keys.add(JSON.parse(text));
    }
  }
  return { keys, others };
}

const chinese = async (): Promise<Record<string, string>> =>
  JSON.parse(await Deno.readTextFile(new URL("zh.json", folder)));

Deno.test({ name: "the dashboard's words are literals", ignore }, async () => {
  assertEquals((await calls()).others, []);
});

Deno.test(
  { name: "each of the dashboard's words is there in Chinese, and none is left over", ignore },
  async () => {
    assertEquals(Object.keys(await chinese()).sort(), [...(await calls()).keys].sort());
  },
);

Deno.test({ name: "a Chinese text has the values of the English one", ignore }, async () => {
  const values = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const [english, text] of Object.entries(await chinese())) {
    assertEquals(values(text), values(english), english);
  }
});
