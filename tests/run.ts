/**
 * The test command: runs `deno test` with the permissions that no test is ignored without, shows what it prints, names the
 * tests that were ignored, as a program they need is not installed, and ends on one line with the counts. It fails when a
 * test fails or none ran; with `--all`, also when one is ignored. Other arguments are passed on.
 */
import { stripVTControlCharacters } from "node:util";

const all = Deno.args.includes("--all");
const permissions = ["read", "write", "net", "env", "run", "sys"].map((name) => `--allow-${name}`);
const child = new Deno.Command(Deno.execPath(), {
  args: ["test", ...permissions, ...Deno.args.filter((arg) => arg !== "--all")],
  cwd: new URL("..", import.meta.url),
  stdout: "piped",
}).spawn();

const decoder = new TextDecoder();
let output = "";
for await (const chunk of child.stdout) {
  await Deno.stdout.write(chunk);
  output += decoder.decode(chunk, { stream: true });
}
const { code } = await child.status;

const lines = stripVTControlCharacters(output).split("\n");
const summary = lines.findLast((line) => /\d+ passed/.test(line)) ?? "";
const count = (what: string) => Number(summary.match(new RegExp(`(\\d+) ${what}`))?.[1] ?? 0);
const ignored = lines.flatMap((line) => /^ *(.*) \.\.\. ignored\b/.exec(line)?.[1] ?? []);
if (ignored.length > 0) console.error(`ignored${all ? ", and none may be" : ""}: ${ignored.join("; ")}`);
console.log(`${count("passed")} passed, ${count("failed")} failed`);
Deno.exit(code !== 0 ? code : count("passed") === 0 || all && ignored.length > 0 ? 1 : 0);
