import type { Socket } from "./socket.ts";

/**
 * Answers each message of a socket with what `work` makes of it: up to `atOnce` messages are in work at the same time, and
 * the answers keep the messages' order. Ends when the peer goes; what `work` throws, it throws.
 */
export function answerInOrder<Message>(
  socket: Socket<Message>,
  work: (message: Message) => string | Promise<string>,
  atOnce = 8,
): Promise<void> {
  /** The last answer that is not sent yet. */
  let last: Promise<void> | null = null;
  let loops = 0;
  const answer = async (text: string | Promise<string>, before: Promise<void> | null) => {
    const [ready] = await Promise.all([text, before]);
    await socket.send(ready);
  };
  return new Promise((resolve, reject) => {
    const loop = async () => {
      loops++;
      try {
        for await (const message of socket) {
          const text = work(message);
          if (typeof text === "string" && last === null) {
            const room = socket.send(text);
            if (room !== undefined) await room;
            continue;
          }
          // A loop holds its message until it is answered, so another takes the next.
          if (loops < atOnce) loop();
          const own = last = answer(text, last);
          await own;
          if (last === own) last = null;
        }
        if (--loops === 0) resolve();
      } catch (error) {
        reject(error);
      }
    };
    loop();
  });
}
