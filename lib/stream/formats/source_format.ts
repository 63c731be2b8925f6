import { JsonText, type StreamEvent } from "../event.ts";
import { tagOf } from "../tag.ts";
import type { Format } from "./format.ts";
import { jsonOf } from "./json_data.ts";

/** What a record with an id begins with, up to the id; for the formats that streams of several sources have. */
export const heads: Readonly<Record<string, string>> = { sse: "id: ", ndjson: '{"id":"' };

/**
 * A format for the events of one source among several: the data is `{"source": …, "data": …}`, the id is that of a stream of
 * this source alone, `TAG-CURSOR.`. Blocks in it are shared by all who follow the source; with `spliced` also
 * where there are others beside it.
 */
export class SourceFormat implements Format {
  readonly name: string;
  readonly mediaTypes: readonly string[];
  readonly plain = false;
  readonly ping: Format["ping"];
  readonly start: Format["start"];
  readonly end: Format["end"];
  /** The source's name, in a cursor. */
  readonly tag: string;
  /** Readers now. */
  readers = 0;
  readonly #json: string;

  /** @throws TypeError for a format that has no records with ids */
  constructor(readonly base: Format, readonly source: string) {
    ({ name: this.name, mediaTypes: this.mediaTypes, ping: this.ping, start: this.start, end: this.end } =
      base);
    if (!(base.name in heads)) throw new TypeError(`Cannot send several sources as ${base.name}`);
    this.tag = tagOf(source);
    this.#json = `{"source":${JSON.stringify(source)},"data":`;
  }

  event({ id, event, data }: StreamEvent, plainId?: boolean): string {
    return this.base.event({ id: id && this.id(id), event, data: this.wrap(data) }, plainId);
  }

  /** The id of a stream of this source alone. */
  id(cursor: string): string {
    return `${this.tag}-${cursor}.`;
  }

  /** The data of an event with its source. */
  wrap(data: unknown): JsonText {
    const json = data instanceof JsonText ? data.json : jsonOf(data, data);
    return new JsonText(`${this.#json}${json}}`);
  }
}

/** The formats that somebody reads, so that all who read a source share its blocks. */
const used = new Map<string, SourceFormat>();

/** The format of a source; `release` has to follow. */
export function sourceFormat(base: Format, source: string): SourceFormat {
  const key = `${base.name} ${source}`;
  let format = used.get(key);
  if (format === undefined) used.set(key, format = new SourceFormat(base, source));
  format.readers++;
  return format;
}

/** Ends a {@linkcode sourceFormat}. */
export function release({ base, source }: SourceFormat): void {
  const key = `${base.name} ${source}`;
  const format = used.get(key)!;
  if (--format.readers === 0) used.delete(key);
}
