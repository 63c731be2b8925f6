import { assert, assertEquals } from "@std/assert";
import { browserTest } from "../support/browser.ts";
import { put } from "../support/files.ts";
import type { Page } from "../support/playwright.ts";
import { serve, until } from "../support/server.ts";

/** A page of the files view, with these files in the folder. */
function filesTest(
  name: string,
  files: Record<string, string | Uint8Array>,
  run: (page: Page, origin: string) => Promise<void>,
): void {
  browserTest(name, async (page) => {
    await using server = await serve();
    for (const [path, content] of Object.entries(files)) await put(`${server.folder}/files/${path}`, content);
    await page.goto(`${server.origin}/#files`);
    await run(page, server.origin);
    await page.goto("about:blank");
  });
}

const rows = (page: Page) => page.locator("tbody tr td:first-child").allTextContents();
const choose = (page: Page, name: string) => page.locator("td a").getByText(name).click();

filesTest(
  "folders are browsed, the folders in them first, and gone back from by the breadcrumb",
  { "b.txt": "long text", "a10.txt": "", "a9.txt": "text", "sub/c.txt": "" },
  async (page) => {
    await until(async () => (await rows(page)).join() === "sub/,a9.txt,a10.txt,b.txt");
    await choose(page, "sub");
    await until(async () => (await rows(page)).join() === "c.txt");
    assertEquals(await page.evaluate("location.hash"), "#files/sub/");
    await page.locator("nav").getByText("files", { exact: true }).click();
    await until(async () => (await rows(page)).length === 4);
  },
);

filesTest(
  "of a text the first 64 KiB are shown, and no more are asked for",
  { "big.log": "x".repeat(5_000_000) },
  async (page) => {
    const statuses: number[] = [];
    page.on("response", (response) => response.url().endsWith("big.log") && statuses.push(response.status()));
    await choose(page, "big.log");
    await page.getByText("the first 65.5 kB of 5 MB").waitFor();
    assertEquals(await page.evaluate("document.querySelector('.preview pre').textContent.length"), 65_536);
    assertEquals(statuses, [206]);
  },
);

const png = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
);

filesTest(
  "an image is shown, a PDF has a frame, and what is neither is not shown",
  { "a.png": png, "b.pdf": "%PDF-1.4\n", "c.bin": new Uint8Array(10), "d.txt": "" },
  async (page) => {
    await choose(page, "a.png");
    await until(() => page.evaluate<boolean>("document.querySelector('.preview img')?.naturalWidth === 1"));
    await choose(page, "b.pdf");
    await page.locator(".preview iframe").waitFor();
    await choose(page, "c.bin");
    await page.getByText("nothing to show").waitFor();
    await choose(page, "d.txt");
    await page.getByText("The file is empty.").waitFor();
  },
);

filesTest(
  "names with markup, spaces, percent and other signs are shown, opened and downloaded",
  { "sub #?/<b>it's 100%<b> ü.txt": "<i>content</i>" },
  async (page, origin) => {
    const name = "<b>it's 100%<b> ü.txt";
    await choose(page, "sub #?");
    await choose(page, name);
    await page.locator(".preview pre").getByText("<i>content</i>").waitFor();
    assertEquals(await page.locator("main b, main i").count(), 0);
    const line = await page.locator(".command").textContent();
    const path = `sub%20%23%3F/${encodeURIComponent(name).replace("'", "%27")}`;
    assertEquals(line, `curl -C - -o '<b>it'\\''s 100%<b> ü.txt' '${origin}/files/${path}'`);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByText("Download", { exact: true }).click(),
    ]);
    assertEquals(await Deno.readTextFile(await download.path()), "<i>content</i>");
    // The browser's own choice for signs that file systems refuse.
    assert(download.suggestedFilename().includes("it's 100%"), download.suggestedFilename());
    await page.evaluate("location.reload()");
    await page.locator(".preview pre").getByText("<i>content</i>").waitFor();
  },
);

filesTest(
  "a folder of more names than are shown at once is shown in parts",
  Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`${i}.txt`, ""])),
  async (page) => {
    await page.getByText("500 of 1,001 names").waitFor();
    await page.getByRole("button", { name: "More names" }).click();
    await page.getByRole("button", { name: "More names" }).click();
    await until(async () => (await rows(page)).at(-1) === "1000.txt");
    assertEquals((await rows(page)).length, 1_001);
  },
);

filesTest("a folder that is not there says so in the server's words", {}, async (page, origin) => {
  await page.goto(`${origin}/#files/none/`);
  await page.getByText("must be that of a file or folder").waitFor();
});

for (
  const place of ["../stream?run=led&interval=0&/", "%2e%2e/stream?run=led&/", "a/../../stream?run=led", ".."]
) {
  filesTest(`a link to #files/${place} leads out of nothing`, { "a.txt": "" }, async (page, origin) => {
    await page.goto(`${origin}/#files/${place}`);
    await until(async () => (await rows(page)).join() === "a.txt");
    assertEquals(await (await fetch(`${origin}/runs`)).json(), []);
  });
}

filesTest("an address with what is no code, or no view's name, has its page", {}, async (page, origin) => {
  await page.goto(`${origin}/#files/100%.txt`);
  await page.getByText('current value is "100%.txt"').waitFor();
  for (const name of ["constructor", "__proto__", "toString"]) {
    await page.goto(`${origin}/#${name}`);
    await page.locator(".view.overview").waitFor();
    await page.goto(`${origin}/#files`);
    await page.locator(".view.files").waitFor();
  }
});
