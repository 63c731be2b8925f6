/**
 * A page of another origin watches a log by tickets, with the `watch` of README, in Chromium. The server is killed (SIGKILL) and
 * comes back when the ticket has long ended: the page gets another from its own backend, and every line once and in order.
 *
 *     deno run --allow-all --no-lock tests/torture/away_torture.ts [SECONDS AWAY] [ROUNDS]
 */
import { launch } from "../support/playwright.ts";
import { start } from "../support/process.ts";
import { find } from "../support/programs.ts";
import { readmeBlocks } from "../support/readme.ts";
import { bearer, token } from "../support/tokens.ts";

const seconds = Number(Deno.args[0] ?? 90);
const rounds = Number(Deno.args[1] ?? 1);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const cwd = await Deno.makeTempDir({ prefix: "weir-away-" });
for (const name of ["files", "app"]) await Deno.mkdir(`${cwd}/${name}`);
const log = `${cwd}/app/app.log`;
const tokens = `backend read ${token.reader}\nsecret ${"s".repeat(32)}\n`;
await Deno.writeTextFile(`${cwd}/.tokens`, tokens, { mode: 0o600 });

let weir = "";
/** The page's own backend: it has the page, and gets the tickets. */
const app = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
  const url = new URL(request.url);
  if (url.pathname !== "/my-backend/ticket") {
    return new Response("<p>app", { headers: { "content-type": "text/html" } });
  }
  return await fetch(`${weir}/tickets`, {
    method: "POST",
    headers: { ...bearer(token.reader), "content-type": "application/json" },
    body: JSON.stringify({ url: url.searchParams.get("path"), origin: url.origin }),
  }).catch(() => new Response(null, { status: 502 }));
});
const origin = `http://localhost:${app.addr.port}`;
const flags = ["--token-file", ".tokens", "--files", "files", "--logs", "app", "--allow-origin", origin];
let server = await start(flags, { cwd });
weir = server.origin;

let written = 0;
const write = () => Deno.writeTextFileSync(log, `line ${++written}\n`, { append: true });
write();
const writer = setInterval(write, 50);

const browser = await launch(find("chromium")!);
const page = await (await browser.newContext()).newPage();
await page.goto(origin);
const { code } = (await readmeBlocks()).find(({ code }) => code.includes("async function watch("))!;
await page.evaluate(
  `{${
    code.replace("https://weir.example", weir)
  }; globalThis.got = []; watch("/logs/app.log", (event) => got.push(event.data)); }`,
);
const got = () => page.evaluate<string[]>("globalThis.got");

for (let round = 0; round < rounds; round++) {
  await pause(2_000);
  const { port } = server;
  server.kill("SIGKILL");
  await server.status;
  const [before, at] = [(await got()).length, written];
  await pause(seconds * 1_000);
  server = await start(flags, { cwd, port });
  while ((await got()).length < written - 10) await pause(100);
  console.log(`${before} lines, killed after ${at}, ${seconds} s away with ${written - at} lines: all came`);
}
clearInterval(writer);
while ((await got()).length < written) await pause(100);
const lines = await got();
const wrong = lines.findIndex((line, index) => line !== `line ${index + 1}`);
console.log(
  wrong === -1 ? `${lines.length} of ${written} lines, each once` : `line ${wrong + 1} is ${lines[wrong]}`,
);
await browser.close();
await server[Symbol.asyncDispose]();
await app.shutdown();
await Deno.remove(cwd, { recursive: true });
Deno.exit(wrong === -1 && lines.length === written ? 0 : 1);
