import { assertEquals } from "@std/assert";
import { browserTest, openEvents, signIn } from "../support/browser.ts";
import { start } from "../support/process.ts";
import { TcpProxy } from "../support/proxy.ts";
import { serve, until } from "../support/server.ts";
import { bearer, guardOf, token, writeWatcher } from "../support/tokens.ts";

async function publish(origin: string, text: string): Promise<void> {
  const headers = { ...bearer(token.admin), "content-type": "text/plain" };
  const answer = await fetch(`${origin}/channels/demo`, { method: "POST", headers, body: text });
  await answer.body?.cancel();
  assertEquals(answer.status, 201);
}

browserTest(
  "a browser signs in, watches, is revoked by SIGHUP, and signs in again to all that it missed",
  async (page) => {
    const cwd = await Deno.makeTempDir({ prefix: "weir-browser-" });
    const write = (text: string) => writeWatcher(cwd, text);
    await write(token.reader);
    await using server = await start(["--token-file", ".tokens"], { cwd });
    const signIn = async (text: string) => {
      await page.getByLabel("Token").fill(text);
      await page.getByRole("button", { name: "Sign in" }).click();
    };

    await page.goto(`${server.origin}/session?here`);
    await signIn(token.wrong);
    await page.getByText("The token is unknown").waitFor();
    await signIn(token.reader);
    await page.getByText("Signed in as watcher: read").waitFor();
    assertEquals(await page.evaluate("location.search"), "?here");
    assertEquals(await page.evaluate("document.cookie"), "");

    const first = await openEvents(page, "/channels/demo");
    await until(async () => await first.readyState() === 1);
    await publish(server.origin, "one");
    await until(async () => (await first.data()).length === 1);
    await write(token.publisher);
    server.kill("SIGHUP");
    // Its reconnect gets 401, which closes it for good.
    await until(async () => await first.readyState() === 2);
    const [, end] = await first.events();
    assertEquals([end.event, end.data], ["end", '{"reason":"revoked"}']);
    await publish(server.origin, "two");

    await page.goto(`${server.origin}/session`);
    await signIn(token.publisher);
    await page.getByText("Signed in as watcher").waitFor();
    const again = await openEvents(page, `/channels/demo?after=${end.id}`);
    await until(async () => (await again.data()).length === 1);
    assertEquals(await again.data(), ["two"]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("Sign in").waitFor();
    await Deno.remove(cwd, { recursive: true });
  },
);

browserTest(
  "who signs in at the first page finds the dashboard, under its Content-Security-Policy",
  async (page) => {
    await using server = await serve({ guard: guardOf() });
    const faults: string[] = [];
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    await page.goto(server.origin);
    await page.getByLabel("Token").fill(token.reader);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("● live").waitFor();
    await page.locator(".who").waitFor();
    // The form itself came with a 401.
    assertEquals(faults.filter((fault) => !fault.includes("401")), []);
    assertEquals(await page.evaluate("getComputedStyle(document.querySelector('#strip')).display"), "flex");
  },
);

browserTest(
  "who follows a link of another site here finds the form, or is signed in already",
  async (page) => {
    await using server = await serve({ guard: guardOf() });
    await using other = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      () =>
        new Response(`<a href="${server.origin}/sensors">link</a>`, {
          headers: { "content-type": "text/html" },
        }),
    );
    const statuses: number[] = [];
    page.on(
      "response",
      (response) => response.url().includes("/sensors") && statuses.push(response.status()),
    );
    await page.goto(`http://localhost:${other.addr.port}/`);
    await page.getByText("link").click();
    // The cookie is SameSite=Strict, so the page asks once more by itself.
    await until(() => statuses.length === 2);
    await page.getByLabel("Token").fill(token.reader);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("event-loop-delay").waitFor();
    await page.goto(`http://localhost:${other.addr.port}/`);
    await page.getByText("link").click();
    await page.getByText("event-loop-delay").waitFor();
    assertEquals(statuses, [401, 401, 200, 401, 200]);
  },
);

browserTest("a page of another origin watches a channel by tickets, across a long cut", async (page) => {
  const app = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const url = new URL(request.url);
    if (url.pathname !== "/ticket") {
      return new Response("<p>app", { headers: { "content-type": "text/html" } });
    }
    const answer = await fetch(`${server.origin}/tickets`, {
      method: "POST",
      headers: { ...bearer(token.reader), "content-type": "application/json" },
      body: JSON.stringify({ url: url.searchParams.get("path"), origin: url.origin }),
    });
    return Response.json({ url: proxy.origin + (await answer.json()).url });
  });
  const origin = `http://localhost:${app.addr.port}`;
  let late = 0;
  const server = await serve({ guard: guardOf(undefined, () => Date.now() + late), allowOrigins: [origin] });
  const proxy = new TcpProxy(server.port);
  try {
    await page.goto(origin);
    const watching = await page.evaluateHandle(() => {
      const got: string[] = [];
      const opened: string[] = [];
      async function watch(path: string, after: string) {
        const query = new URLSearchParams({ path: `${path}?format=sse&after=${after}` });
        const { url } = await (await fetch(`/ticket?${query}`)).json();
        const source = new EventSource(url);
        opened.push(url);
        source.onmessage = ({ data, lastEventId }) => {
          got.push(data);
          after = lastEventId || after;
        };
        source.onerror = () => {
          if (source.readyState === EventSource.CLOSED) setTimeout(watch, 10, path, after);
        };
      }
      watch("/channels/demo", "0");
      return { got, opened };
    });
    const got = () => watching.evaluate(({ got }) => got);
    await until(() => server.server.bodies.size === 1);
    await publish(server.origin, "one");
    await until(async () => (await got()).length === 1);
    // Cut as by a proxy, and back only after the ticket has ended.
    late = 90_000;
    proxy.cut();
    await publish(server.origin, "two");
    await until(async () => (await got()).length === 2);
    assertEquals(await got(), ["one", "two"]);
    assertEquals(await watching.evaluate(({ opened }) => opened.length), 2);
  } finally {
    await page.goto("about:blank");
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await app.shutdown();
  }
});

browserTest("a browser that has signed in goes from the listing of a folder to its files", async (page) => {
  await using server = await serve({ guard: guardOf() });
  await Deno.writeTextFile(`${server.folder}/files/a.txt`, "content");
  await page.goto(`${server.origin}/files/`);
  await page.getByLabel("Token").fill(token.reader);
  await page.getByRole("button", { name: "Sign in" }).click();
  const statuses: number[] = [];
  page.on("response", (response) => response.url().endsWith("/a.txt") && statuses.push(response.status()));
  await page.getByText("a.txt").click();
  await page.getByText("content").waitFor();
  assertEquals(statuses, [200]);
});

browserTest("a browser whose token has not the right finds the way out", async (page) => {
  await using server = await serve({ guard: guardOf() });
  await page.goto(`${server.origin}/logs`);
  await page.getByLabel("Token").fill(token.meter);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Signed in as meter with a token for metrics: this page needs the right read.")
    .waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
});

browserTest(
  "every curl line of the dashboard has the token of its shell where there are tokens",
  async (page) => {
    await using server = await serve({ guard: guardOf() });
    await signIn(page, server.origin, token.admin);
    const start = `${server.origin}/stream?run=demo&interval=60000&request=false`;
    const lines = async (view: string) => {
      await page.goto(`${server.origin}/#${view}`);
      const shown = page.locator(`.${view.split("/")[0]} .command:has-text("curl")`);
      await until(async () => await shown.count() > 0);
      return await shown.allTextContents();
    };
    const all = [];
    for (const view of ["overview/cpu", "runs", "channels", "channels/demo"]) all.push(...await lines(view));
    await (await fetch(start, { headers: bearer(token.admin) })).body?.cancel();
    all.push(...await lines("runs"));
    const isSigned = (line: string) => line.includes('-H "Authorization: Bearer $WEIR_TOKEN"');
    assertEquals(all.filter((line) => !isSigned(line)), []);
  },
);
