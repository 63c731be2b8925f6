import { assertEquals } from "@std/assert";
import { browserTest, signIn } from "../support/browser.ts";
import { valueOf } from "../../lib/channels/value.ts";
import type { Page } from "../support/playwright.ts";
import { serve, until } from "../support/server.ts";
import { guardOf, token } from "../support/tokens.ts";

const events = (page: Page) => page.locator(".newest span").allTextContents();

/** Until a page shows these events, the newest last. */
const shows = (page: Page, ...expected: string[]) =>
  until(async () => JSON.stringify(await events(page)) === JSON.stringify(expected));

async function publish(page: Page, text: string, type = "application/json"): Promise<void> {
  await page.getByLabel("What to publish").fill(text);
  await page.getByLabel("Written as").selectOption(type);
  await page.getByRole("button", { name: "Publish" }).click();
}

browserTest("what one window publishes is seen in a second, after what was there before", async (page) => {
  await using server = await serve();
  server.store.publish("demo", [valueOf("before")]);
  const second = await page.context().newPage();
  for (const window of [page, second]) {
    await window.goto(`${server.origin}/#channels/demo`);
    await shows(window, "before");
  }
  await publish(page, '{"n": 1}');
  await publish(page, "words", "text/plain");
  for (const window of [page, second]) await shows(window, "before", '{"n":1}', "words");
});

browserTest(
  "seven windows do without the one connection too many: four are live, all can publish",
  async (page) => {
    await using server = await serve();
    const windows = [page];
    while (windows.length < 7) windows.push(await page.context().newPage());
    for (const window of windows) {
      await window.goto(`${server.origin}/#channels/demo`);
      await window.locator("textarea").waitFor();
    }
    await page.getByText("paused for other windows").waitFor();
    await until(() => server.app.limits.streams.used === 4);
    await publish(page, '{"n": 1}');
    for (const window of windows.slice(3)) await shows(window, '{"n":1}');
    await page.evaluate('dispatchEvent(new Event("focus"))');
    await shows(page, '{"n":1}');
    await windows[3].getByText("paused for other windows").waitFor();
    await windows[6].goto("about:blank");
    await until(() => server.app.limits.streams.used === 4);
    await windows[3].getByText("● live").waitFor();
  },
);

browserTest("the end of a channel's events is followed, until somebody scrolls up", async (page) => {
  await using server = await serve();
  const send = (count: number) => server.store.publish("demo", Array(count).fill(valueOf("some")));
  const has = (count: number) => until(async () => (await events(page)).length === count);
  const region = (what: string) =>
    page.evaluate<boolean>(`(({ scrollTop, clientHeight, scrollHeight }) => ${what})
    (document.querySelector(".newest"))`);
  send(100);
  await page.goto(`${server.origin}/#channels/demo`);
  await has(100);
  send(1);
  await has(101);
  await until(() => region("scrollTop > 0 && scrollTop + clientHeight > scrollHeight - 8"));
  await page.evaluate("document.querySelector('.newest').scrollTop = 0");
  send(1);
  await has(102);
  assertEquals(await region("scrollTop === 0"), true);
});

browserTest("markup in an event is shown as text", async (page) => {
  await using server = await serve();
  await page.goto(`${server.origin}/#channels/demo`);
  await publish(page, "<b id=markup>bold</b>", "text/plain");
  await shows(page, "<b id=markup>bold</b>");
  assertEquals(await page.locator("#markup").count(), 0);
});

browserTest("what the server refuses to publish is answered in its words", async (page) => {
  await using server = await serve();
  await page.goto(`${server.origin}/#channels/demo`);
  await publish(page, "{oops");
  await page.getByText('the body must be JSON: current value is "{oops"').waitFor();
});

browserTest("the list has each channel with its events and readers as they change", async (page) => {
  await using server = await serve();
  await page.goto(`${server.origin}/#channels/demo`);
  const entry = page.getByRole("link", { name: "demo" });
  await until(async () => (await entry.textContent()).endsWith("0 events · 1 reader"));
  server.store.publish("demo", [valueOf(1)]);
  await until(async () => (await entry.textContent()).endsWith("1 event · 1 reader"));
});

browserTest("a channel that is chosen by keyboard keeps the focus", async (page) => {
  await using server = await serve();
  server.store.publish("demo", [valueOf(1)]);
  await page.goto(`${server.origin}/#channels`);
  await page.getByRole("link", { name: "demo" }).focus();
  await page.keyboard.press("Enter");
  await shows(page, "1");
  await until(async () => await page.evaluate("document.activeElement.hash") === "#channels/demo");
});

browserTest(
  "the focus stays where it is in the list when another channel comes",
  async (page) => {
    await using server = await serve();
    server.store.publish("demo", [valueOf(1)]);
    await page.goto(`${server.origin}/#channels`);
    await page.getByRole("link", { name: "demo" }).focus();
    server.store.publish("another", [valueOf(1)]);
    await page.getByRole("link", { name: "another" }).waitFor();
    assertEquals(await page.evaluate("document.activeElement.hash"), "#channels/demo");
  },
);

browserTest(
  "events that the history has lost while the page was away are a row that counts them",
  async (page) => {
    await using server = await serve({ limits: { channelEvents: 2 } });
    const send = (...values: unknown[]) =>
      values.forEach((value) => server.store.publish("demo", [valueOf(value)]));
    await page.goto(`${server.origin}/#channels/demo`);
    await until(() => server.store.list()[0]?.readers === 1);
    send(1);
    await shows(page, "1");
    await page.evaluate(
      `Object.defineProperty(document, "hidden", { get: () => globalThis.away, configurable: true });
    globalThis.away = true; document.dispatchEvent(new Event("visibilitychange"))`,
    );
    await until(() => server.server.bodies.size === 0);
    send(2, 3, 4, 5);
    await page.evaluate(`globalThis.away = false; document.dispatchEvent(new Event("visibilitychange"))`);
    await page.getByText("2 events are missing here").waitFor();
    await shows(page, "1", "4", "5");
  },
);

browserTest("a name that no channel can have leaves the connection as it is", async (page) => {
  await using server = await serve();
  await page.goto(`${server.origin}/#channels/sensors`);
  await page.getByText("A channel's name is 1 to 64").waitFor();
  await page.goto(`${server.origin}/#channels/a%20b`);
  await page.getByText("A channel's name is 1 to 64").waitFor();
  await page.getByText(/^● live$/).waitFor();
});

browserTest("a reader's token is offered nothing to publish with", async (page) => {
  await using server = await serve({ guard: guardOf() });
  server.store.publish("demo", [valueOf("seen")]);
  await signIn(page, server.origin, token.reader);
  await page.goto(`${server.origin}/#channels/demo`);
  await shows(page, "seen");
  await page.getByText("Your token has not the right publish.").waitFor();
  assertEquals(await page.getByRole("button", { name: "Publish" }).count(), 0);
});

async function connect(page: Page, origin: string, settings: Record<string, string> = {}): Promise<void> {
  await page.goto(`${origin}/#channels/ws`);
  for (const [label, value] of Object.entries(settings)) {
    await page.getByLabel(label, { exact: true }).fill(value);
  }
  await page.getByRole("button", { name: "Connect" }).click();
}

browserTest("a socket's frames are shown both ways, and its close in words", async (page) => {
  await using server = await serve();
  await connect(page, server.origin);
  await page.getByText(/^open$/).waitFor();
  await page.getByLabel("Message", { exact: true }).fill("hello");
  await page.keyboard.press("Enter");
  await shows(page, "hello", "Processed data: hello");
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByText("closed: 1000 complete").waitFor();
});

browserTest("a socket on a channel has what others publish, and publishes what it sends", async (page) => {
  await using server = await serve();
  await connect(page, server.origin, { channel: "demo" });
  await page.getByText(/^open$/).waitFor();
  await page.getByLabel("Message", { exact: true }).fill("sent");
  await page.keyboard.press("Enter");
  await until(async () => (await events(page)).some((text) => text.endsWith('"data":"sent"}')));
  assertEquals(server.store.list()[0].events, 1);
});

browserTest(
  "a socket that the server closes tells the code, its meaning and the server's reason",
  async (page) => {
    await using server = await serve();
    await connect(page, server.origin);
    await page.getByText(/^open$/).waitFor();
    const closing = server.server.close();
    await page.getByText("closed: 1001 the server shuts down: the server is shutting down").waitFor();
    await closing;
  },
);

browserTest(
  "a reader's token sends nothing to a channel by a socket, and may to the others",
  async (page) => {
    await using server = await serve({ guard: guardOf() });
    await signIn(page, server.origin, token.reader);
    const send = page.locator("button:text-is('Send')");
    for (const [channel, isOffered] of [["demo", false], ["", true]] as const) {
      await connect(page, server.origin, { channel });
      await page.getByText(/^open$/).waitFor();
      assertEquals(await send.isEnabled(), isOffered);
      await page.getByRole("button", { name: "Close" }).click();
      await page.getByText("closed: 1000").waitFor();
    }
  },
);

browserTest("a socket that is refused tells why in the server's words", async (page) => {
  await using server = await serve();
  await connect(page, server.origin, { "work a message, in ms": "99999" });
  await page.getByText('delay must be a whole number from 0 to 10000: current value is "99999"').waitFor();
});
