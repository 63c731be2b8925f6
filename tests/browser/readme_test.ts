import { assertEquals } from "@std/assert";
import { browserTest } from "../support/browser.ts";
import { followReadme } from "../support/readme.ts";
import { until } from "../support/server.ts";

const counted = ["3 3 to go", "2 2 to go", "1 1 to go", "end complete"];

browserTest("README's readers for a page print what its handlers send", async (page) => {
  await using guide = await followReadme();
  const expected = [counted, counted, ["you said hello"]];
  let printed: string[] = [];
  page.on("console", (message) => printed.push(message.text()));
  for (const { code } of guide.blocks.filter(({ language }) => language === "js")) {
    await page.goto(`${guide.server.origin}/`);
    printed = [];
    await page.evaluate(`(async () => {${code}})()`);
    const lines = expected.shift()!;
    await until(() => printed.length >= lines.length);
    assertEquals(printed, lines);
  }
  assertEquals(expected, []);
});
