import { assert, assertEquals } from "@std/assert";
import { browserTest } from "../support/browser.ts";
import { openView, serveViews, views } from "../support/dashboard.ts";
import type { Page } from "../support/playwright.ts";
import { serve, until } from "../support/server.ts";

const focused = (page: Page, what: string) => page.evaluate<string>(`document.activeElement.${what}`);

browserTest("the first Tab is a way past the strip, which leaves the view as it is", async (page) => {
  await using server = await serve();
  await page.goto(`${server.origin}/#routes`);
  await page.getByText("/openapi.json").waitFor();
  await page.keyboard.press("Tab");
  assertEquals(await focused(page, "textContent"), "Skip to content");
  await page.keyboard.press("Enter");
  assertEquals(await focused(page, "id"), "main");
  assertEquals(await page.evaluate("location.hash"), "#routes");
  await page.keyboard.press("Tab");
  assertEquals(await focused(page, "textContent"), "OpenAPI 3.1");
});

browserTest(
  "a digit goes to a view, but not while somebody types, nor once it is switched off",
  async (page) => {
    await using server = await serve();
    const at = (view: string) => until(async () => await page.evaluate("location.hash") === `#${view}`);
    await page.goto(server.origin);
    await page.locator(".view").waitFor();
    for (const [index, view] of ["overview", "logs", "runs", "files", "channels", "routes"].entries()) {
      await page.keyboard.press(String(index + 1));
      await at(view);
    }
    await page.goto(`${server.origin}/#channels/demo`);
    await page.getByLabel("What to publish").fill("");
    await page.keyboard.type("6?");
    assertEquals(await focused(page, "value"), "6?");

    await page.getByRole("button", { name: "Keys" }).focus();
    await page.keyboard.press("Enter");
    await page.getByLabel("single keys do this").focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("Escape");
    assertEquals(await focused(page, "ariaLabel"), "Keys");
    for (const key of ["6", "?"]) await page.keyboard.press(key);
    assertEquals(await page.getByRole("dialog").count(), 0);
    assertEquals(await page.evaluate("location.hash"), "#channels/demo");
  },
);

for (const view of Object.keys(views)) {
  browserTest(
    `Tab reaches all that can be used in #${view}, in reading order, and shows where it is`,
    async (page) => {
      await using server = await serveViews();
      await openView(page, server, view);
      const usable = await page.evaluate<number>(`
      globalThis.usable = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
        .filter((each) => each.checkVisibility() && !each.disabled && each.tabIndex === 0);
      usable.length`);
      assert(usable > 12);
      const reached: number[] = [];
      const unseen: string[] = [];
      for (let i = 0; i < usable; i++) {
        await page.keyboard.press("Tab");
        reached.push(await page.evaluate<number>("usable.indexOf(document.activeElement)"));
        if (await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") === "none") {
          unseen.push(await focused(page, "outerHTML"));
        }
      }
      assertEquals(unseen, []);
      assertEquals(reached, Array.from({ length: usable }, (_, i) => i));
    },
  );
}
