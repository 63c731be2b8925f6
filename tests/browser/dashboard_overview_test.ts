import { assert, assertEquals } from "@std/assert";
import { browserTest } from "../support/browser.ts";
import { put } from "../support/files.ts";
import type { Page } from "../support/playwright.ts";
import { start } from "../support/process.ts";
import { serve, until } from "../support/server.ts";

const push = { id: "a", unit: "K", description: "", interval: 60_000, push: true } as const;

async function post(origin: string, value: number): Promise<void> {
  const response = await fetch(`${origin}/sensors/a`, { method: "POST", body: String(value) });
  await response.body?.cancel();
  assertEquals(response.status, 201);
}

/** Where a server took long to start, the next try is up to 30 s away. */
const backOff = { timeout: 40_000 };

/** What the overview shows of the end of a log. */
const tail = (page: Page) => page.locator(".tail .text").allTextContents();

/** As where the user goes to another tab, or comes back. */
const hide = (page: Page, isHidden: boolean) =>
  page.evaluate(`Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"))`);

browserTest("a sensor's tile and the chart begin with its history, and go on live", async (page) => {
  await using server = await serve({ declared: [push] });
  await post(server.origin, 1);
  await page.goto(`${server.origin}/#overview/a`);
  await page.getByRole("button", { name: "a 1 K" }).waitFor();
  await page.getByText(/^1 K · /).waitFor();
  await post(server.origin, 2);
  await page.getByText(/^2 K · /).waitFor();
  await page.getByRole("button", { name: "a 2 K 1 – 2 K" }).waitFor();
  assertEquals(await page.locator("canvas").count(), (await page.locator(".tile").count()) + 1);
});

browserTest("the keyboard moves the chart's crosshair from reading to reading", async (page) => {
  await using server = await serve({ declared: [push] });
  for (const value of [1, 2, 3]) await post(server.origin, value);
  await page.goto(`${server.origin}/#overview/a`);
  await page.getByText(/^3 K · /).waitFor();
  await page.getByRole("slider").focus();
  await page.keyboard.press("ArrowLeft");
  await page.getByText(/^2 K · /).waitFor();
  await page.keyboard.press("Home");
  await page.getByText(/^1 K · /).waitFor();
  await post(server.origin, 4);
  await page.getByRole("button", { name: "a 4 K" }).waitFor();
  await page.getByText(/^1 K · /).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText(/^4 K · /).waitFor();
});

browserTest("a reading without a value is a hole in the line", async (page) => {
  await using server = await serve({ declared: [{ ...push, interval: 100 }] });
  await post(server.origin, 1);
  await until(() => server.app.sensors.latest("a").state === "stale");
  await post(server.origin, 2);
  await page.goto(server.origin);
  const values = await page.evaluate<(number | null)[]>(
    `import("/dashboard/readings.js").then(async (module) => {
    const readings = new module.Readings({ id: "a", interval: 100 });
    await readings.start(Infinity, () => {});
    return readings.values;
  })`,
  );
  assertEquals(values.filter((value, i) => i === 0 || value !== values[i - 1]).slice(0, 3), [1, null, 2]);
});

browserTest("a sensor that is stale or has failed says so, with the reason", async (page) => {
  await using server = await serve({
    declared: [{ ...push, interval: 100 }, {
      id: "b",
      unit: "",
      description: "",
      interval: 100,
      timeout: 100,
      read: () => Promise.reject(new Error("no answer")),
    }],
  });
  await post(server.origin, 1);
  await page.goto(server.origin);
  await page.getByRole("button", { name: "a 1 K stale: no value for 300 ms" }).waitFor();
  await page.getByRole("button", { name: "b – failed: the read failed" }).waitFor();
});

browserTest(
  "a server that is killed and started again: the page recovers, and shows nothing twice",
  async (page) => {
    const cwd = await Deno.makeTempDir({ prefix: "weir-browser-" });
    const append = (line: string) => Deno.writeTextFile(`${cwd}/logs/app.log`, `${line}\n`, { append: true });
    await put(`${cwd}/logs/app.log`, "one\n");
    await using killed = await start([], { cwd });
    await page.goto(killed.origin);
    await page.getByText("● live").waitFor();
    await append("two");
    await until(async () => (await tail(page)).length === 2);
    // Its readings are others from then on, which is no loss: the line has a hole.
    await page.getByText(/^[\d.]+ % · /).waitFor();
    killed.kill("SIGKILL");
    await killed.status;
    await page.getByText("reconnecting").waitFor();
    await append("three");
    await using _again = await start([], { cwd, port: killed.port });
    await page.getByText("● live").waitFor(backOff);
    await append("four");
    await until(async () => (await tail(page)).includes("four"));
    assertEquals(await tail(page), ["one", "two", "three", "four"]);
    await page.getByText("● live").waitFor();
    await page.goto("about:blank");
    await Deno.remove(cwd, { recursive: true });
  },
);

browserTest(
  "readings of another process are a hole and no loss; events of a channel are one",
  async (page) => {
    await using server = await serve();
    await page.goto(`${server.origin}/#routes`);
    const watch = (source: string, cursor: string) =>
      page.evaluate(`import("/dashboard/feed.js").then(({ watch }) =>
      new Promise((heard) => watch("${source}", "${cursor}", null, heard)))`);
    await watch("sensor:cpu", "sensors-other-1");
    await page.getByText("● live").waitFor();
    assertEquals(await page.getByText("some were missed").count(), 0);
    await watch("channel:demo", "other-1");
    await page.getByText("live, some were missed").waitFor();
    await page.getByRole("button", { name: "seen" }).click();
    await page.getByText("● live").waitFor();
  },
);

browserTest("a view that is opened while the server is away fills once it is back", async (page) => {
  const cwd = await Deno.makeTempDir({ prefix: "weir-browser-" });
  await put(`${cwd}/logs/app.log`, "one\n");
  await using killed = await start([], { cwd });
  await page.goto(`${killed.origin}/#runs`);
  await page.getByText("● live").waitFor();
  // The views themselves come after the first.
  await page.evaluate("import('/dashboard/overview.js')");
  killed.kill("SIGKILL");
  await killed.status;
  await page.getByText("reconnecting").waitFor();
  await page.goto(`${killed.origin}/#overview`);
  await using _again = await start([], { cwd, port: killed.port });
  await page.getByText("● live").waitFor(backOff);
  await until(async () => (await tail(page)).includes("one"));
  await page.getByRole("button", { name: /^server-memory \d/ }).waitFor();
  await page.getByText(/^[\d.]+ % · /).waitFor();
  await page.goto("about:blank");
  await Deno.remove(cwd, { recursive: true });
});

browserTest("a hidden tab closes its connection, and comes back by its cursor", async (page) => {
  await using server = await serve();
  const log = `${server.folder}/logs/app.log`;
  await put(log, "one\n");
  await page.goto(server.origin);
  await until(async () => (await tail(page)).length === 1);
  await until(() => server.app.limits.streams.used === 1);
  await hide(page, true);
  await until(() => server.app.limits.streams.used === 0);
  await page.getByText("paused while hidden").waitFor();
  await Deno.writeTextFile(log, "two\nthree\n", { append: true });
  await hide(page, false);
  await until(async () => (await tail(page)).length === 3);
  assertEquals(await tail(page), ["one", "two", "three"]);
  assert(await page.getByText("● live").count() === 1);
});

browserTest("what moves by less than 1 % of its value is no jump in a tile's line", async (page) => {
  await using server = await serve({ declared: [push] });
  for (const value of [1_000, 1_000, 1_001, 1_001]) await post(server.origin, value);
  await page.goto(`${server.origin}/#overview/a`);
  await page.getByRole("button", { name: /^a 1,?001 K/ }).waitFor();
  const rows = () =>
    page.evaluate<number[]>(`(() => {
      const canvas = document.querySelector('[data-id="a"] canvas');
      const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const drawn = [];
      for (let i = 3; i < data.length; i += 4) if (data[i] > 0) drawn.push(Math.floor(i / 4 / width));
      return [Math.min(...drawn), Math.max(...drawn)];
    })()`);
  await until(async () => Number.isFinite((await rows())[0]));
  const [top, bottom] = await rows();
  assert(top > 25 && bottom < 39, `${top} to ${bottom} of 64`);
});

browserTest("the first page says what it is of, and leads to the routes", async (page) => {
  await using server = await serve();
  await page.goto(server.origin);
  await page.locator(".overview > p").getByRole("link", { name: "Routes" }).click();
  await page.locator(".routes details").nth(0).waitFor();
});
