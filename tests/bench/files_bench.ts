import { compare, download, type Row, start, time } from "./compare.ts";

const gibibyte = 2 ** 30;

/** Small requests one after another on one connection: µs each. */
async function each(url: string, headers: HeadersInit, requests = 500): Promise<number> {
  const ms = await time(async () => {
    for (let i = 0; i < requests; i++) await (await fetch(url, { headers })).bytes();
  });
  return ms / requests * 1_000;
}

/** Downloads against the plain idiom, `new Response(file.readable)`; the file is in the page cache after the first round. */
export async function rows(): Promise<Row[]> {
  const folder = await Deno.makeTempDir({ prefix: "weir-bench-" });
  await Deno.create(`${folder}/large.bin`).then((file) => file.close());
  await Deno.truncate(`${folder}/large.bin`, gibibyte);
  await Deno.writeTextFile(`${folder}/small.txt`, "x");
  const ours = await start("../../main.ts", ["--port", "0", "--files", folder]);
  const idiom = await start("idiom.ts");
  const speed = async (port: number, path: string) => {
    let bytes = 0;
    const ms = await time(async () => bytes = await download(port, path));
    if (bytes < gibibyte) throw new Error(`${path} had ${bytes} bytes`);
    return bytes / ms / 1_000;
  };
  try {
    return [
      await compare(
        "a file of 1 GiB",
        () => speed(ours.port, "/files/large.bin"),
        () => speed(idiom.port, `/file?file=${folder}/large.bin`),
        { unit: "MB/s", more: true },
      ),
      await compare(
        "the last byte of 1 GiB, against a whole file of 1 byte",
        () => each(`${ours.origin}/files/large.bin`, { range: "bytes=-1" }),
        () => each(`${ours.origin}/files/small.txt`, {}),
        { unit: "µs" },
      ),
    ];
  } finally {
    await Promise.all([ours.stop(), idiom.stop()]);
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await rows();
