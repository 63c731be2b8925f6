import { assertEquals } from "@std/assert";
import { browserTest, signIn } from "../support/browser.ts";
import { openView, serveViews, views } from "../support/dashboard.ts";
import type { Page } from "../support/playwright.ts";
import { serve } from "../support/server.ts";
import { guardOf, token } from "../support/tokens.ts";

interface Violation {
  id: string;
  impact: "minor" | "moderate" | "serious" | "critical";
  nodes: { html: string; failureSummary: string }[];
}

/** What axe-core finds that is serious; by evaluate, as the page's policy refuses a script that is added to it. */
async function serious(page: Page): Promise<string[]> {
  // Computed, as for the driver: neither is a part of the module graph.
  const specifier = "npm:axe-core@4.14.1";
  const { default: { source } } = await import(specifier);
  await page.evaluate(`globalThis.axe ?? (() => {${source}})()`);
  const { violations } = await page.evaluate<{ violations: Violation[] }>("axe.run()");
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").flatMap((
    { id, nodes },
  ) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const [size, width, height] of [["wide", 1_440, 900], ["narrow", 390, 844]] as const) {
    browserTest(`axe finds nothing serious in any view, ${colorScheme} and ${size}`, async (page) => {
      await using server = await serveViews();
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      const found: string[] = [];
      for (const view of Object.keys(views)) {
        await openView(page, server, view);
        // What is still fading in has less contrast.
        await page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))");
        found.push(...(await serious(page)).map((each) => `${view}: ${each}`));
      }
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      found.push(...await serious(page));
      assertEquals(found, []);
    });
  }
}

browserTest("axe finds nothing serious in what a reader's token is refused", async (page) => {
  await using server = await serve({ guard: guardOf() });
  await signIn(page, server.origin, token.reader);
  await page.goto(`${server.origin}/#routes/POST/channels/:name`);
  await page.getByText("how many were published, and the id of the last").waitFor();
  assertEquals(await serious(page), []);
});
