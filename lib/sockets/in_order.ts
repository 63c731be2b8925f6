import type { Socket } from "./socket.ts";

/**
 * Answers each message of a socket with what `work` makes of it: up to `atOnce` messages are in work at the same time, and
 * the answers keep the messages' order. Ends when the peer goes; what `work` throws, it throws.
 */
export async function answerInOrder<Message>(
  socket: Socket<Message>,
  work: (message: Message) => string | Promise<string>,
  atOnce = 8,
): Promise<void> {
  /** The last answer that is not sent yet. */
  let last: Promise<void> | null = null;
  let loops = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const loop = async () => {
    loops++;
    for await (const message of socket) {
      const answer = work(message);
      if (typeof answer === "string" && last === null) {
        const room = socket.send(answer);
        if (room !== undefined) await room;
        continue;
      }
      // A loop holds its message until it is answered, so another takes the next.
      if (loops < atOnce) start();
      const before: Promise<void> | null = last;
      const own = last = (async () => {
        const [text] = await Promise.all([answer, before]);
        await socket.send(text);
      })();
      await own;
      if (last === own) last = null;
    }
    if (--loops === 0) resolve();
  };
  const start = () => void loop().catch(reject);
  start();
  await promise;
}
