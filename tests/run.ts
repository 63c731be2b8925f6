/**
 * The test command: runs `deno test` with the permissions that no test is ignored without, shows what it prints, and ends
 * on one line with the true counts. It fails when a test fails, is ignored, or none ran. Arguments are passed on.
 */
const permissions = ["read", "write", "net", "env", "run", "sys"].map((name) => `--allow-${name}`);
const command = new Deno.Command(Deno.execPath(), {
  args: ["test", ...permissions, ...Deno.args],
  cwd: new URL("..", import.meta.url),
  stdout: "piped",
});

const child = command.spawn();
const decoder = new TextDecoder();
let tail = "";
for await (const chunk of child.stdout) {
  await Deno.stdout.write(chunk);
  tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4_096);
}
const { code } = await child.status;

const summary = tail.split("\n").findLast((line) => /\d+ passed/.test(line)) ?? "";
const count = (what: string) => Number(summary.match(new RegExp(`(\\d+) ${what}`))?.[1] ?? 0);
console.log(`${count("passed")} passed, ${count("failed")} failed`);
if (count("ignored") > 0) console.error(`${count("ignored")} tests were ignored, and none may be here`);
Deno.exit(code !== 0 ? code : count("ignored") > 0 || count("passed") === 0 ? 1 : 0);
