import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Limits } from "../../lib/limits.ts";
import { browserTest } from "../support/browser.ts";
import { LogWriter } from "../support/log_writer.ts";
import type { Page } from "../support/playwright.ts";
import { serve, until } from "../support/server.ts";

/** The texts of the rows of lines and gaps that are shown. */
const shown = (page: Page) =>
  page.evaluate<string[]>(
    `[...document.querySelectorAll(".line:not([hidden]) .text, .lines .gap")].map((e) => e.textContent)`,
  );

const lastIs = (page: Page, line: string) => until(async () => (await shown(page)).at(-1) === line);

const numbered = (count: number, first = 1) =>
  Array.from({ length: count }, (_, i) => `line ${first + i}\n`).join("");

const append = (path: string, text: string) => Deno.writeTextFile(path, text, { append: true });

/** A page that shows logs, each with a text to begin with; `open` goes to a place of them. */
function logsTest(
  name: string,
  texts: Record<string, string>,
  run: (page: Page, logs: string, open: (place: string) => Promise<unknown>) => Promise<void>,
  limits: Partial<Limits> = {},
): void {
  browserTest(name, async (page) => {
    await using server = await serve({ limits });
    const logs = `${server.folder}/logs`;
    for (const [log, text] of Object.entries(texts)) await Deno.writeTextFile(`${logs}/${log}`, text);
    const faults: string[] = [];
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    await run(page, logs, (place) => page.goto(`${server.origin}/#logs/${place}`));
    // A log that is not there is one to the browser.
    assertEquals(faults.filter((fault) => !fault.includes("404")), []);
    await page.goto("about:blank");
  });
}

logsTest(
  "20,000 lines at once are the last 2,000 rows, in order, in less than 50 MB",
  { "app.log": "first\n" },
  async (page, logs, open) => {
    await open("app.log");
    await lastIs(page, "first");
    await append(`${logs}/app.log`, numbered(20_000));
    await lastIs(page, "line 20000");
    const lines = await shown(page);
    assert(lines.length <= 2_000, String(lines.length));
    assertEquals(lines, numbered(lines.length, 20_001 - lines.length).trimEnd().split("\n"));
    assert(await page.evaluate<number>("performance.memory.usedJSHeapSize") < 50_000_000);
  },
);

logsTest(
  "scrolling up pauses, and the end resumes",
  { "app.log": numbered(500) },
  async (page, logs, open) => {
    await open("app.log");
    await lastIs(page, "line 500");
    await page.evaluate("document.querySelector('.lines').scrollTop = 0");
    await page.getByText("paused").waitFor();
    await append(`${logs}/app.log`, "new\n");
    await page.getByText("paused, 1 new").waitFor();
    assertEquals((await shown(page)).at(-1), "line 500");
    await page.evaluate("document.querySelector('.lines').scrollTop = 1e6");
    await lastIs(page, "new");
  },
);

logsTest(
  "a line that becomes whole, and more than 2,000 others, while it is paused: none is missing and none is lost track of",
  { "app.log": numbered(500) },
  async (page, logs, open) => {
    await open("app.log");
    await lastIs(page, "line 500");
    await page.evaluate("document.querySelector('.lines').scrollTop = 0");
    await append(`${logs}/app.log`, "ha");
    await page.getByText("paused, 1 new").waitFor();
    await append(`${logs}/app.log`, "lf\nwhole\n");
    await page.getByText("paused, 2 new").waitFor();
    await page.getByRole("button", { name: "Follow" }).click();
    await lastIs(page, "whole");
    assertEquals(await shown(page), [...numbered(500).trimEnd().split("\n"), "half", "whole"]);
    await page.getByRole("button", { name: "Follow" }).click();
    await append(`${logs}/app.log`, numbered(3_000));
    await page.getByText("paused, 2,000+ new").waitFor();
    await page.getByRole("button", { name: "Follow" }).click();
    await lastIs(page, "line 3000");
    assertEquals(await shown(page), numbered(2_000, 1_001).trimEnd().split("\n"));
  },
);

for (const how of ["rename", "copytruncate"] as const) {
  logsTest(
    `of a log that is rotated by ${how} while it is watched no line is shown twice, and none is missing`,
    {},
    async (page, logs, open) => {
      using writer = new LogWriter(logs, "app.log", 3);
      writer.write(10);
      await open("app.log");
      await until(async () => (await shown(page)).length === 10);
      for (let i = 0; i < 3; i++) {
        await writer.rotate(how, how === "rename" ? 5 : 0);
        writer.write(5);
        await until(async () => (await shown(page)).at(-1)?.startsWith(`${writer.last} `) ?? false);
      }
      const numbers = (await shown(page)).map((line) => Number.parseInt(line)).filter((n) =>
        !Number.isNaN(n)
      );
      assertEquals(numbers, Array.from({ length: writer.last }, (_, i) => i + 1));
    },
  );
}

logsTest("what is typed filters the page at once, and Enter asks the server", {
  "app.log": `needle 1\n${numbered(3_000)}needle 2\n`,
}, async (page, _logs, open) => {
  await open("app.log");
  await lastIs(page, "needle 2");
  await page.getByLabel("Search", { exact: true }).fill("NEEDLE");
  await page.getByText("1 of 500 lines").waitFor();
  assertEquals(await shown(page), ["needle 2"]);
  await page.keyboard.press("Enter");
  await page.getByText("found on the server: 2").waitFor();
  assertEquals(await shown(page), ["needle 1", "needle 2"]);
  // A line that was found is shown among its neighbours.
  await page.locator(".line .at").nth(0).click();
  await page.getByLabel("Search", { exact: true }).fill("");
  await until(async () => (await shown(page))[1] === "line 1");
});

logsTest(
  "a download has what is shown, also of lines in the middle of a log",
  { "app.log": `${numbered(700)}needle\n${numbered(700, 701)}` },
  async (page, _logs, open) => {
    const downloaded = async () => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByText("Download", { exact: true }).click(),
      ]);
      assertEquals(download.suggestedFilename(), "app.log");
      return await Deno.readTextFile(await download.path());
    };
    await open("app.log");
    await lastIs(page, "line 1400");
    assertEquals(await downloaded(), numbered(500, 901));
    await page.getByRole("button", { name: "First lines" }).click();
    await lastIs(page, "line 500");
    assertEquals(await downloaded(), numbered(500));
    await page.getByLabel("Search", { exact: true }).fill("LINE 50");
    await until(async () => (await shown(page)).length === 2);
    assertEquals(await downloaded(), "line 50\nline 500\n");
  },
);

logsTest(
  "a search that has not come to the start says so, and goes on where it was",
  { "app.log": `needle 1\n${numbered(10_000)}needle 2\n` },
  async (page, _logs, open) => {
    await open("app.log");
    await page.getByLabel("Search", { exact: true }).fill("needle");
    await page.keyboard.press("Enter");
    await page.getByText("Searched back to here").waitFor();
    assertEquals(await shown(page), ["needle 2"]);
    await page.getByRole("button", { name: "Earlier lines" }).click();
    await until(async () => (await shown(page)).join() === "needle 1,needle 2");
    assertEquals(await page.locator(".note").count(), 0);
  },
  { searchBytes: 1 },
);

logsTest(
  "a truncation is a row that says that lines may be missing",
  { "app.log": numbered(3) },
  async (page, logs, open) => {
    await open("app.log");
    await lastIs(page, "line 3");
    await append(`${logs}/app.log`, "line 4\n");
    await lastIs(page, "line 4");
    await Deno.writeTextFile(`${logs}/app.log`, "anew\n");
    await lastIs(page, "anew");
    const lines = await shown(page);
    assertStringIncludes(lines[4], "may be missing");
    assertEquals(lines.length, 6);
  },
);

logsTest("the address of a line opens the log there, and lines before it can be had", {
  "app.log": numbered(3_000),
}, async (page, _logs, open) => {
  await open("app.log");
  await lastIs(page, "line 3000");
  await page.getByRole("button", { name: "First lines" }).click();
  await lastIs(page, "line 500");
  await page.getByRole("button", { name: "Later lines" }).click();
  await lastIs(page, "line 1000");
  await page.locator(".line .at").nth(799).click();
  const address = await page.evaluate<string>("location.hash");
  await page.goto("about:blank");
  await open(address.replace("#logs/", ""));
  await page.locator(".line[aria-current]").getByText("line 800").waitFor();
  assertEquals(await shown(page), numbered(1_000, 301).trimEnd().split("\n"));
  await page.getByRole("button", { name: "Earlier lines" }).click();
  await until(async () => (await shown(page))[0] === "line 1");
  assertEquals(await shown(page), numbered(1_000).trimEnd().split("\n"));
});

logsTest("colours of a terminal are shown, and no escape is", {
  "app.log": "\x1b[1;31mred\x1b[0m \x1b]0;title\x07\x1b[38;5;46mgreen\x1b[2K\x1b[m plain\n",
}, async (page, _logs, open) => {
  await open("app.log");
  await lastIs(page, "red green plain");
  const colours = await page.evaluate<string[]>(
    `[...document.querySelectorAll(".line .text, .line .text > span")].map((e) => getComputedStyle(e).color)`,
  );
  assertEquals(new Set(colours).size, 3, colours.join());
});

logsTest("a line of JSON unfolds by the keyboard, with its numbers as they are", {
  "app.log": '{"level":50,"n":12345678901234567890}\n',
}, async (page, _logs, open) => {
  await open("app.log");
  await lastIs(page, '{"level":50,"n":12345678901234567890}');
  assertEquals(await page.locator(".line .at").textContent(), "E");
  await page.locator(".lines").focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  assertEquals(
    await page.locator(".line pre").textContent(),
    '{\n  "level": 50,\n  "n": 12345678901234567890\n}',
  );
});

const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
logsTest(
  "markup in a line and in a log's name stays text",
  { "<b>app<b>.log": `${markup}\n` },
  async (page, _logs, open) => {
    await open(encodeURIComponent("<b>app<b>.log"));
    await lastIs(page, markup);
    assertEquals(await page.locator("main img, main b, main script").count(), 0);
    await page.locator("h2").getByText("<b>app<b>.log").waitFor();
  },
);

logsTest(
  "a last line without a newline is shown once, and then whole",
  { "app.log": "one\ntw" },
  async (page, logs, open) => {
    await open("app.log");
    await lastIs(page, "tw");
    await page.getByText("(goes on)").waitFor();
    await append(`${logs}/app.log`, "o\n");
    await lastIs(page, "two");
    assertEquals(await shown(page), ["one", "two"]);
  },
);

logsTest("two logs are merged, each line with its log, or side by side", {
  "a.log": "one\n",
  "b.log": "two\n",
}, async (page, logs, open) => {
  await open("a.log,b.log");
  await until(async () => (await shown(page)).length === 2);
  await append(`${logs}/a.log`, "three\n");
  await lastIs(page, "three");
  const [one, two, last] = await page.locator(".line .from").allTextContents();
  assertEquals([...[one, two].sort(), last], ["a.log", "b.log", "a.log"]);
  await page.getByLabel("side by side").click();
  await until(async () => (await shown(page)).join() === "one,three,two");
  assertEquals(await page.locator(".pane").count(), 2);
});

logsTest("a log that is not there is waited for", {}, async (page, logs, open) => {
  await open("later.log");
  await page.getByText("not there now").waitFor();
  await append(`${logs}/later.log`, "one\ntwo\n");
  await lastIs(page, "two");
  assertEquals(await shown(page), ["one", "two"]);
});

logsTest(
  "on a phone nothing scrolls sideways",
  { "app.log": `${"x".repeat(500)} ${"word ".repeat(100)}\n` },
  async (page, _logs, open) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await open("app.log");
    await until(async () => (await shown(page)).length === 1);
    assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 390);
    const { width, inside } = await page.evaluate<{ width: number; inside: number }>(
      `(() => {
        const text = document.querySelector(".line .text");
        return { width: text.getBoundingClientRect().width, inside: text.closest(".lines").clientWidth };
      })()`,
    );
    assert(width < inside, `${width} in ${inside}`);
  },
);

for (const older of ["", "app.log.1"]) {
  logsTest(
    `an empty log says that there is no line${older && ", and that older ones are in its rotated files"}`,
    { "app.log": "", ...(older && { [older]: "one\n" }) },
    async (page, _logs, open) => {
      await open("app.log");
      await page.getByText(older ? "older ones are in its rotated files" : "There is no line yet").waitFor();
    },
  );
}
