import { mergeReadableStreams, TextLineStream } from "@std/streams";
import { merge } from "../../lib/stream/merge.ts";
import { compare, download, type Row, start, time } from "./compare.ts";

/** Requests of five lines over 64 connections that stay open: answers a second. */
export async function small(port: number, path: string, total = 6_000): Promise<number> {
  const request = new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  let left = total;
  const client = async () => {
    using socket = await Deno.connect({ hostname: "127.0.0.1", port });
    socket.setNoDelay(true);
    const buffer = new Uint8Array(4_096);
    while (left-- > 0) {
      await socket.write(request);
      // The last line of five is the end of a body, however it is framed, once what follows the line has come as well.
      for (let text = ""; !/step 5: .*\n(\r\n0\r\n\r\n)?$/.test(text);) {
        text += new TextDecoder().decode(buffer.subarray(0, await socket.read(buffer) ?? 0));
      }
    }
  };
  const ms = await time(() => Promise.all(Array.from({ length: 64 }, client)));
  return total / ms * 1_000;
}

/** Answers a second by wrk, one thread and 64 connections. */
async function wrk(port: number, path: string): Promise<number> {
  const args = ["-t1", "-c64", "-d2", `http://127.0.0.1:${port}${path}`];
  const { stdout } = await new Deno.Command("wrk", { args }).output();
  return Number(/Requests\/sec: +([\d.]+)/.exec(new TextDecoder().decode(stdout))![1]);
}

const hasWrk = () =>
  new Deno.Command("wrk", { stdout: "null", stderr: "null" }).output().then(() => true, () => false);

/** From yield to client, the median of 200 values, in ms. */
async function latency(origin: string, path: string): Promise<number> {
  const response = await fetch(origin + path);
  const lines = response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  const delays: number[] = [];
  for await (const line of lines) {
    delays.push(performance.timeOrigin + performance.now() - Number(line));
    if (delays.length === 200) break;
  }
  return delays.sort((a, b) => a - b)[100];
}

async function* numbers(count: number) {
  for (let i = 0; i < count; i++) yield i;
}

async function exhaust(values: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of values);
}

/** The way of a request: against a ready-made answer with the same headers. */
async function statics(ours: number, idiom: number): Promise<Row[]> {
  const options = { unit: "requests/s", more: true };
  const five = "/stream?count=5&interval=0&request=false";
  return [
    await compare(
      "/healthz against a static answer",
      () => wrk(ours, "/healthz"),
      () => wrk(idiom, "/health"),
      options,
    ),
    await compare(
      "5 lines against a static answer",
      () => wrk(ours, five),
      () => wrk(idiom, "/five"),
      options,
    ),
  ];
}

/** The streaming core against the plain idiom. */
export async function rows(): Promise<Row[]> {
  const ours = await start("../../main.ts", ["--port", "0"]);
  const idiom = await start("idiom.ts");
  const stamps = await start("stamps.ts");
  const steps = "/stream?interval=0&request=false&count=";
  const get = (port: number, path: string) => () => time(() => download(port, path));
  const sources = () => Array.from({ length: 100 }, () => numbers(1_000));
  try {
    return [
      await compare(
        "100,000 lines as text",
        get(ours.port, `${steps}100000`),
        get(idiom.port, "/lines?count=100000"),
      ),
      await compare(
        "100,000 events as sse",
        get(ours.port, `${steps}100000&format=sse`),
        get(idiom.port, "/sse?count=100000"),
      ),
      await compare(
        "100,000 events as ndjson",
        get(ours.port, `${steps}100000&format=ndjson`),
        get(idiom.port, "/ndjson?count=100000"),
      ),
      await compare(
        "responses of 5 lines, 64 connections",
        () => small(ours.port, `${steps}5`),
        () => small(idiom.port, "/lines?count=5"),
        {
          unit: "requests/s",
          more: true,
        },
      ),
      await compare(
        "a value every 10 ms: from yield to client",
        () => latency(stamps.origin, "/ours"),
        () => latency(stamps.origin, "/idiom"),
        { rounds: 3 },
      ),
      await compare(
        "merge of 100 sources x 1,000 values",
        () => time(() => exhaust(merge(sources()))),
        () =>
          time(() =>
            exhaust(mergeReadableStreams(...sources().map((source) => ReadableStream.from(source))))
          ),
      ),
      ...await hasWrk() ? await statics(ours.port, idiom.port) : [],
    ];
  } finally {
    await Promise.all([ours.stop(), idiom.stop(), stamps.stop()]);
  }
}

if (import.meta.main) await rows();
