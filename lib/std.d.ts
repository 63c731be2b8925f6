// What this project uses of @std, typed: the npm package that carries it has no types of its own. With the import map
// moved to JSR, this file goes away.

declare module "@std/assert" {
  export function assert(value: unknown, message?: string): asserts value;
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): void;
  export function assertMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertStringIncludes(actual: string, expected: string, message?: string): void;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    // deno-lint-ignore no-explicit-any -- the constructor's parameters do not matter
    type?: new (...args: any[]) => E,
    messageIncludes?: string,
    message?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any -- the constructor's parameters do not matter
    type?: new (...args: any[]) => E,
    messageIncludes?: string,
    message?: string,
  ): Promise<E>;
}

declare module "@std/async/delay" {
  export function delay(ms: number, options?: { signal?: AbortSignal }): Promise<void>;
}

declare module "@std/html" {
  export function escape(text: string): string;
}

declare module "@std/http/etag" {
  export function ifMatch(value: string | null, etag: string | undefined): boolean;
  export function ifNoneMatch(value: string | null, etag: string | undefined): boolean;
}

declare module "@std/http/negotiation" {
  export function accepts(request: Pick<Request, "headers">, ...types: string[]): string | undefined;
  export function acceptsEncodings(
    request: Pick<Request, "headers">,
    ...codings: string[]
  ): string | undefined;
}

declare module "@std/http/status" {
  export const STATUS_CODE: {
    readonly BadRequest: 400;
    readonly Forbidden: 403;
    readonly RequestTimeout: 408;
    readonly ContentTooLarge: 413;
    readonly URITooLong: 414;
    readonly UnsupportedMediaType: 415;
    readonly MisdirectedRequest: 421;
    readonly ServiceUnavailable: 503;
  };
}

declare module "@std/media-types" {
  export function contentType(extensionOrType: string): string | undefined;
  export function parseMediaType(
    type: string,
  ): [type: string, parameters: Record<string, string> | undefined];
}

declare module "@std/streams" {
  export function toText(stream: ReadableStream<string | Uint8Array>): Promise<string>;
  export function mergeReadableStreams<T>(...streams: ReadableStream<T>[]): ReadableStream<T>;
  export class TextLineStream extends TransformStream<string, string> {
    constructor(options?: { allowCR?: boolean });
  }
  export class LimitedBytesTransformStream
    extends TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
    constructor(size: number, options?: { error?: boolean });
  }
}
