import { assertEquals } from "@std/assert";
import { browserTest, signIn } from "../support/browser.ts";
import { start } from "../support/process.ts";
import { serve, until } from "../support/server.ts";
import { guardOf, token, tokenLines, writeWatcher } from "../support/tokens.ts";

/** The server looks at its runs once a second, and rests for 20 times as long as that takes. */
const look = { timeout: 40_000 };

browserTest("a run that one tab starts is watched in another, and cancelled there", async (page) => {
  await using server = await serve();
  const other = await page.context().newPage();
  await page.goto(`${server.origin}/#runs`);
  await other.goto(`${server.origin}/#runs`);
  await page.getByLabel("Name", { exact: true }).fill("job");
  await page.getByLabel("Route").selectOption("/concurrent_stream");
  await page.getByLabel("task").fill("quick:3:0");
  await page.getByRole("button", { name: "Add another" }).click();
  await page.getByLabel("task").nth(1).fill("slow:1000:60000");
  await page.getByRole("button", { name: "Start the run" }).click();
  for (const tab of [page, other]) {
    await tab.getByText("3 of 3").waitFor(look);
    await tab.getByText(/^1 of 1,000/).waitFor();
  }
  const runs = await server.app.runs.list();
  assertEquals(runs.map(({ name, readers }) => [name, readers]), [["job", 2]]);
  await other.getByRole("button", { name: "Cancel job" }).click();
  await other.getByRole("button", { name: "Cancel the run" }).click();
  for (const tab of [page, other]) await tab.getByText("■ cancelled").waitFor(look);
  await page.getByRole("button", { name: "Forget job" }).click();
  await page.getByRole("button", { name: "Forget", exact: true }).click();
  await other.getByText("no longer kept").waitFor(look);
  assertEquals(await server.app.runs.list(), []);
});

browserTest("a run that cannot be started says why, in the server's words", async (page) => {
  await using server = await serve();
  await page.goto(`${server.origin}/#runs`);
  await page.getByLabel("Name", { exact: true }).fill("a b");
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.getByText(/a run's name must be/).waitFor();
});

browserTest("what a token does not allow is not offered", async (page) => {
  const publisher = `both read,publish ${"b".repeat(32)}`;
  await using server = await serve({ guard: guardOf([...tokenLines, publisher]) });
  await signIn(page, server.origin, "b".repeat(32));
  await page.goto(`${server.origin}/#runs`);
  await page.getByLabel("count").fill("1000");
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.getByText("● running").waitFor();
  assertEquals(await page.getByRole("button", { name: "Cancel run-1" }).count(), 0);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").fill(token.reader);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("#views a").nth(0).waitFor();
  await page.goto(`${server.origin}/#runs`);
  await page.getByText("● running").waitFor();
  await page.getByText("needs the right publish").waitFor();
  assertEquals(await page.locator("form").count(), 0);
});

browserTest("a token with the right admin is offered all", async (page) => {
  await using server = await serve({ guard: guardOf() });
  await signIn(page, server.origin, token.admin);
  await page.goto(`${server.origin}/#runs`);
  await page.getByLabel("count").fill("1000");
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.getByRole("button", { name: "Cancel run-1" }).click();
  await page.getByRole("button", { name: "Cancel the run" }).click();
  await page.getByText("■ cancelled").waitFor();
});

browserTest("who is revoked is told, and finds the form to sign in", async (page) => {
  const cwd = await Deno.makeTempDir({ prefix: "weir-browser-" });
  const write = (text: string) => writeWatcher(cwd, text);
  await write(token.reader);
  await using server = await start(["--token-file", ".tokens"], { cwd });
  await signIn(page, server.origin, token.reader);
  await page.getByText("● live").waitFor();
  await write(token.publisher);
  server.kill("SIGHUP");
  await page.getByText("no longer allowed").waitFor();
  await page.getByRole("link", { name: "sign in" }).click();
  await page.getByLabel("Token").waitFor();
  await until(async () => await page.evaluate("location.pathname") === "/session");
  await Deno.remove(cwd, { recursive: true });
});
