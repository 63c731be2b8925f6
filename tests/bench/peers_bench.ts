/**
 * README's table of speeds: Weir beside plain Deno, and beside Go, nginx and FastAPI where they are installed, in turn, in one
 * run; medians of five.
 */
import { cpus, release } from "node:os";
import { fanOut } from "./channels_bench.ts";
import { download, median, start, time } from "./compare.ts";
import { type Peer, startPeers } from "./peers.ts";
import { echo } from "./sockets_bench.ts";
import { small } from "./streams_bench.ts";

const mebibytes = 1_024;

/** One line of the table: what each server is asked for, by its name; what it has no way to do is left out. */
interface Work {
  name: string;
  unit: string;
  paths: Record<string, string>;
  measure: (port: number, path: string) => Promise<number>;
}

const steps = "/stream?interval=0&request=false&count=";
const everybody = (weir: string, path: string) => ({ Weir: weir, Deno: path, Go: path, FastAPI: path });

const table: Work[] = [
  {
    name: "100,000 lines as text",
    unit: "ms",
    paths: everybody(`${steps}100000`, "/lines?count=100000"),
    measure: (port, path) => time(() => download(port, path)),
  },
  {
    name: "responses of 5 lines, 64 connections",
    unit: "requests/s",
    paths: everybody(`${steps}5`, "/lines?count=5"),
    measure: small,
  },
  {
    name: "a file of 1 GiB",
    unit: "MB/s",
    paths: { ...everybody("/files/large.bin", "/large.bin"), Deno: "/file?file=", nginx: "/large.bin" },
    measure: async (port, path) => mebibytes * 1.048576 / await time(() => download(port, path)) * 1_000,
  },
  {
    name: "300 subscribers of a channel (SSE), 300 events",
    unit: "events/s",
    paths: { Weir: "/channels/bench", "Deno channel": "/", Go: "/events", FastAPI: "/events" },
    measure: fanOut,
  },
  {
    name: "WebSocket echo, 100 sockets, 200 messages each",
    unit: "messages/s",
    paths: { Weir: "/ws", "Deno sockets": "/", FastAPI: "/ws" },
    measure: echo,
  },
];

/** Prints the table. */
export async function rows(): Promise<void> {
  const [folder, work] = await Promise.all([1, 2].map(() => Deno.makeTempDir({ prefix: "weir-bench-" })));
  await Deno.create(`${folder}/large.bin`).then((file) => file.close());
  await Deno.truncate(`${folder}/large.bin`, mebibytes * 2 ** 20);
  const idioms = {
    Deno: "idiom.ts",
    "Deno channel": "channels_idiom.ts",
    "Deno sockets": "sockets_idiom.ts",
  };
  const servers: Peer[] = [{
    name: "Weir",
    ...await start("../../main.ts", ["--port", "0", "--files", folder]),
  }];
  for (const [name, script] of Object.entries(idioms)) servers.push({ name, ...await start(script) });
  servers.push(...await startPeers(folder, work));
  try {
    const names = ["Weir", "Deno", ...servers.slice(4).map(({ name }) => name)];
    const { model } = cpus()[0];
    console.log(
      `${cpus().length} x ${model}, Linux ${release()}, Deno ${Deno.version.deno}, ${
        new Date().toISOString().slice(0, 10)
      }\n`,
    );
    console.log(`| | ${names.join(" | ")} | |\n| --- |${" ---: |".repeat(names.length)} --- |`);
    for (const { name, unit, paths, measure } of table) {
      const figures = new Map<string, number[]>(names.map((name) => [name, []]));
      for (let round = 0; round <= 5; round++) {
        for (const server of servers.filter(({ name }) => name in paths)) {
          const path = paths[server.name].replace(/file=$/, `file=${folder}/large.bin`);
          const figure = await measure(server.port, path);
          if (round > 0) figures.get(server.name.split(" ")[0])!.push(figure);
        }
      }
      const shown = [...figures.values()].map((of) =>
        of.length === 0 ? "" : Math.round(median(of)).toLocaleString("en")
      );
      console.log(`| ${name} | ${shown.join(" | ")} | ${unit} |`);
    }
  } finally {
    for (const server of servers) await server.stop();
    for (const path of [folder, work]) await Deno.remove(path, { recursive: true });
  }
}
