import { granted } from "./granted.ts";
import { type Browser, launch, type Page } from "./playwright.ts";
import { find } from "./programs.ts";

const chromium = granted.all ? find("chromium") : undefined;

let browser: Browser;

if (chromium !== undefined) {
  // Not in a test: what it opens outlives each, and is closed after the last.
  Deno.test.beforeAll(async () => void (browser = await launch(chromium)));
  Deno.test.afterAll(() => browser.close());
}

/** A test with a page of Chromium: one browser a file, a context a test. */
export function browserTest(name: string, fn: (page: Page) => Promise<void>): void {
  Deno.test({
    name,
    ignore: chromium === undefined,
    async fn() {
      await using context = await browser.newContext();
      context.setDefaultTimeout(10_000);
      await fn(await context.newPage());
    },
  });
}

/** Signs in, and waits for the dashboard. */
export async function signIn(page: Page, origin: string, token: string): Promise<void> {
  await page.goto(origin);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("#views a").nth(0).waitFor();
}

/** An event that a page's EventSource got. */
export interface PageEvent {
  event: string;
  id: string;
  data: string;
}

/** An EventSource in a page. */
export interface PageEvents {
  events(): Promise<PageEvent[]>;
  /** The data of the events without a name. */
  data(): Promise<string[]>;
  /** 0: connecting; 1: open; 2: closed for good. */
  readyState(): Promise<number>;
}

/** Opens an EventSource in the page. */
export async function openEvents(page: Page, url: string): Promise<PageEvents> {
  const handle = await page.evaluateHandle((url) => {
    const source = new EventSource(url);
    const events: PageEvent[] = [];
    for (const event of ["message", "gap", "end"]) {
      source.addEventListener(event, (received) => {
        const { lastEventId: id, data } = received as MessageEvent;
        events.push({ event, id, data });
      });
    }
    return { source, events };
  }, url);
  const events = () => handle.evaluate(({ events }) => events);
  return {
    events,
    data: async () => (await events()).filter(({ event }) => event === "message").map(({ data }) => data),
    readyState: () => handle.evaluate(({ source }) => source.readyState),
  };
}
