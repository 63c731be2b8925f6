/**
 * Async generators as live streams: text, NDJSON and server-sent events from the same generator, in anybody's `Deno.serve`.
 *
 * @module
 */
export { type Clock, every, sleep } from "./stream/clock.ts";
export { errorResponse, HttpError, type Report, StreamEnd } from "./stream/errors.ts";
export { CursorAt, cursorAt, Encoded, type Gap, gap, JsonText, type StreamEvent } from "./stream/event.ts";
export { type Exchange, exchange, type ExchangeOptions } from "./stream/exchange.ts";
export type { Ending, EndReason, Format } from "./stream/formats/format.ts";
export { ndjson } from "./stream/formats/ndjson.ts";
export { sse } from "./stream/formats/sse.ts";
export { type FormatName, formats } from "./stream/formats/table.ts";
export { text, textFormat, type Wording } from "./stream/formats/text.ts";
export { ClientShare } from "./stream/client_share.ts";
export { Limiter, type Permit } from "./stream/limiter.ts";
export { merge, type MergeOptions, type Sources } from "./stream/merge.ts";
export { type OpenBodies, type OpenBody, type Parting } from "./stream/open_bodies.ts";
export type { HeadOptions } from "./stream/response_head.ts";
export { cursor, type StreamOptions, streamResponse } from "./stream/response.ts";
export type { Source, StreamItem, Wanted } from "./stream/source.ts";
export { Histogram, StreamCounts } from "./stream/stream_counts.ts";
