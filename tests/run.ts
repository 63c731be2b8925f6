/**
 * The test command: runs `deno test` with the permissions that no test is ignored without, then tests/browser with all, as
 * the browser's driver needs them. It shows what they print, names the tests that were ignored and the packages to install,
 * and ends on one line with the counts of both. It fails when a test fails or none ran; with `--all`, also when one is
 * ignored. A path is passed on to the run that has it, any other argument to both.
 */
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { find, packages, type Program } from "./support/programs.ts";

const cwd = fileURLToPath(new URL("..", import.meta.url));
const browserTests = resolve(cwd, "tests/browser");
const total = { passed: 0, failed: 0, code: 0 };
const ignored: string[] = [];

/** Runs `deno test`, shows what it prints and adds up its counts. */
async function run(args: string[]): Promise<void> {
  // An import that only tests make would be written to deno.lock, and downloaded by each first start from then on.
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-lock", ...args],
    cwd,
    stdout: "piped",
  }).spawn();
  const decoder = new TextDecoder();
  let output = "";
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    output += decoder.decode(chunk, { stream: true });
  }
  total.code ||= (await child.status).code;
  const lines = stripVTControlCharacters(output).split("\n");
  const summary = lines.findLast((line) => /\d+ passed/.test(line)) ?? "";
  for (const what of ["passed", "failed"] as const) {
    total[what] += Number(summary.match(new RegExp(`(\\d+) ${what}`))?.[1] ?? 0);
  }
  ignored.push(...lines.flatMap((line) => /^ *(.*) \.\.\. ignored\b/.exec(line)?.[1] ?? []));
}

const all = Deno.args.includes("--all");
const args = Deno.args.filter((arg) => arg !== "--all");
const isPath = (arg: string, index: number) => !arg.startsWith("-") && args[index - 1] !== "--filter";
const [pages, others] = [true, false].map((below) =>
  args.filter((arg, index) =>
    isPath(arg, index) && relative(browserTests, resolve(cwd, arg)).startsWith("..") !== below
  )
);
const flags = args.filter((arg, index) => !isPath(arg, index));

if (others.length > 0 || pages.length === 0) {
  const permissions = ["read", "write", "net", "env", "run", "sys"].map((name) => `--allow-${name}`);
  await run([...permissions, "--ignore=tests/browser", ...flags, ...others]);
}
if (pages.length > 0 || others.length === 0) {
  // Without a browser its driver is not even downloaded.
  if (find("chromium") === undefined) ignored.push("tests/browser");
  else await run(["--allow-all", ...flags, ...(pages.length > 0 ? pages : [browserTests])]);
}

if (ignored.length > 0) {
  const missing = (Object.keys(packages) as Program[]).filter((program) => find(program) === undefined);
  const advice = missing.map((program) => packages[program]).join(" ");
  console.error(
    `ignored${all ? ", and none may be" : ""}: ${ignored.join("; ")}` +
      (advice && ` (apt-get install ${advice})`),
  );
}
console.log(`${total.passed} passed, ${total.failed} failed`);
Deno.exit(total.code || (total.passed === 0 || all && ignored.length > 0 ? 1 : 0));
