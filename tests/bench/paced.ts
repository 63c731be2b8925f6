/** A publisher that keeps to a rate, and readers that check what they get and how late it is. */

const now = () => performance.timeOrigin + performance.now();
/** Connections of the publisher, each of which waits for its answer. */
const publishers = 32;

/** Publishes times as numbers, so many a second; returns how many seconds it took. */
export async function publish(port: number, path: string, rate: number, events: number): Promise<number> {
  const began = performance.now();
  let next = 0;
  const one = async () => {
    using socket = await Deno.connect({ hostname: "127.0.0.1", port });
    const buffer = new Uint8Array(4_096);
    while (next < events) {
      const due = began + next++ / rate * 1_000;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const body = now().toFixed(2);
      await socket.write(new TextEncoder().encode(
        `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
      ));
      const size = await socket.read(buffer);
      // HTTP/1.1 201
      if (size === null || buffer[9] !== 0x32) {
        throw new Error(new TextDecoder().decode(buffer.subarray(0, size ?? 0)));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(publishers, events) }, one));
  return (performance.now() - began) / 1_000;
}

const start = '{"id":"';
const record = /^\{"id":"\w+-\w+-(\d+)","data":([\d.]+)\}/;

/** A reader of NDJSON over a bare socket. It counts the records of each read and parses the first and the last of them, all if `isExact`. */
export class Reader {
  /** How late the events were that it has parsed, in ms. */
  readonly delays: number[] = [];
  #last = 0;

  constructor(readonly socket: Deno.TcpConn, readonly isExact: boolean) {}

  /** Reads so many events; throws where one is missing, comes twice or is a gap. */
  async read(events: number): Promise<void> {
    const buffer = new Uint8Array(262_144);
    const decoder = new TextDecoder();
    for (let rest = ""; this.#last < events;) {
      const size = await this.socket.read(buffer);
      if (size === null) throw new Error(`the stream was cut after ${this.#last} events`);
      const text = rest + decoder.decode(buffer.subarray(0, size), { stream: true });
      const end = text.lastIndexOf("}\n") + 2;
      rest = text.slice(end);
      if (text.includes('"gap"')) throw new Error(`a gap after ${this.#last}: ${text}`);
      this.#take(text, end);
    }
  }

  #take(text: string, end: number): void {
    const at = now();
    const from = this.#last;
    let last = -1;
    for (let next = text.indexOf(start); next !== -1 && next < end; next = text.indexOf(start, next + 1)) {
      this.#last++;
      last = next;
      if (this.isExact || this.#last === from + 1) this.#check(text.slice(next, next + 80), at);
    }
    if (last !== -1 && !this.isExact) this.#check(text.slice(last, last + 80), at);
  }

  #check(line: string, at: number): void {
    const [, number, stamp] = record.exec(line)!;
    if (Number(number) !== this.#last) throw new Error(`${number} came as the event ${this.#last}`);
    if (this.isExact) this.delays.push(at - Number(stamp));
  }

  close(): void {
    this.socket.close();
  }
}

/** A reader of a channel, from its next event on. */
export async function connect(port: number, path: string, isExact = false): Promise<Reader> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = `GET ${path}?format=ndjson HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  await socket.write(new TextEncoder().encode(request));
  // The head comes once it takes part.
  await socket.read(new Uint8Array(4_096));
  return new Reader(socket, isExact);
}
