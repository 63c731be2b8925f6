/**
 * A full disk under the access log, a tmpfs of 1 MiB: requests are answered all the same, what is lost is counted, /healthz is
 * degraded, and once there is room again lines are written, each whole. It mounts, and so needs root, on Linux.
 *
 *     deno run --allow-all tests/torture/full_disk_torture.ts [ROUNDS]
 */
import { serve, until } from "../support/server.ts";

const rounds = Number(Deno.args[0] ?? 3);
const requests = 500;

async function run(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(args[0], { args: args.slice(1) }).output();
  if (!success) throw new Error(`${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

const disk = await Deno.makeTempDir({ prefix: "weir-full-" });
await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk);
try {
  await using server = await serve({ accessLog: `${disk}/access.log`, limits: { accessLogBytes: 700_000 } });
  const ask = async () => {
    const statuses = await Promise.all(Array.from({ length: requests }, async () => {
      const response = await fetch(`${server.origin}/sensors/cpu`);
      await response.body?.cancel();
      return response.status;
    }));
    check(statuses.every((status) => status === 200), "a request was not answered");
  };
  const health = async () => await (await fetch(`${server.origin}/healthz`)).json();
  const lines = () => Deno.readTextFileSync(`${disk}/access.log`).split("\n").filter((line) => line !== "");

  for (let round = 1; round <= rounds; round++) {
    // All that is left: the next write is one that ends within a line, or none.
    await Deno.writeFile(`${disk}/filler`, new Uint8Array(1_048_576)).catch(() => {});
    await ask();
    await until(async () => (await health()).reasons.includes("the access log cannot be written"));
    const { access_log_lost: lost } = await health();
    check(lost > 0, "nothing was lost");

    await Deno.remove(`${disk}/filler`);
    const marker = `/healthz?round=${round}`;
    await until(async () => {
      await (await fetch(server.origin + marker)).body?.cancel();
      return lines().some((line) => line.includes(`"query":"round=${round}"`));
    });
    check((await health()).status === "ok", "it is degraded still");
    const torn = lines().filter((line) => {
      try {
        return !JSON.parse(line).time;
      } catch {
        return true;
      }
    });
    console.log(
      `round ${round}: ${lost} lines lost, ${
        lines().length - torn.length
      } whole, ${torn.length} torn by the full disk`,
    );
    check(torn.length <= round, "a line that was written after it is torn as well");
  }
  check(server.reports().split("\n").length === rounds, `each time is reported once: ${server.reports()}`);
} finally {
  await run("umount", disk);
  await Deno.remove(disk);
}
