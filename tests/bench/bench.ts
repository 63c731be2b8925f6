/**
 * `deno task bench` prints README's table of speeds, with the peers that are installed. `deno task bench streams|files|logs|channels|
 * sockets|redis|processes …` is Weir's path against the plain Deno idiom of the same job, in turn, A B A B, in one run; medians of
 * five and their ratio; `redis` and `processes` need a redis-server, and the latter wrk. `soak` is five minutes of mixed load.
 */
import * as channels from "./channels_bench.ts";
import * as files from "./files_bench.ts";
import * as logs from "./logs_bench.ts";
import * as peers from "./peers_bench.ts";
import * as processes from "./processes_bench.ts";
import * as redis from "./redis_bench.ts";
import { soak } from "./soak_bench.ts";
import * as sockets from "./sockets_bench.ts";
import * as streams from "./streams_bench.ts";

const parts: Record<string, () => Promise<unknown>> = {
  streams: streams.rows,
  files: files.rows,
  channels: channels.rows,
  sockets: sockets.rows,
  redis: redis.rows,
  processes: processes.rows,
  logs: async () => {
    for (const row of await logs.rows()) console.log(logs.format(row));
  },
};
if (Deno.args[0] === "soak") Deno.exit(await soak() ? 0 : 1);

if (Deno.args.length === 0) {
  await peers.rows();
  Deno.exit(0);
}
for (const name of Deno.args) {
  if (!Object.hasOwn(parts, name)) {
    console.error(`a part must be one of ${Object.keys(parts).join(", ")}: current value is "${name}"`);
    Deno.exit(2);
  }
}
console.log(`${"work".padEnd(58)} ${"weir".padStart(9)} ${"idiom".padStart(9)} ${"unit".padEnd(10)}  better`);
for (const name of Deno.args) await parts[name]();
Deno.exit(0);
