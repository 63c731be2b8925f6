/**
 * Named channels: what one publishes, every subscriber gets once and in order, in the format that it asked for. One that
 * comes back with its last id goes on after it, or gets a `gap` event with the number of lost events.
 *
 * @example
 * ```ts
 * import { exchange, streamResponse } from "@weir/weir";
 * import { MemoryStore, valueOf } from "@weir/weir/channels";
 *
 * const channels = new MemoryStore();
 * const handler = (request: Request) =>
 *   streamResponse(exchange(request), (wanted) => channels.subscribe("demo", wanted), { format: "sse" });
 *
 * channels.publish("demo", [valueOf("hello"), valueOf({ n: 1 })]);
 * // With Deno.serve(handler) this is what `curl 'http://localhost:8000/?after=0'` prints.
 * const response = await handler(new Request("http://localhost:8000/?after=0"));
 * for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
 *   console.log(chunk);
 *   break;
 * }
 * channels.close();
 * ```
 *
 * @module
 */
export type { ChannelInfo, ChannelStore } from "./channel_store.ts";
export { MemoryStore, type MemoryStoreLimits } from "./memory_store.ts";
export { valueOf, valueOfJson } from "./value.ts";
