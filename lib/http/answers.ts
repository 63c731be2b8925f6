import { type FormatName, formats } from "../stream/formats/table.ts";
import type { Answer, Schema } from "./description.ts";

/** Schema of an object: each field with its type, `|` between several; a name that ends in `?` may be absent. */
export function object(fields: Readonly<Record<string, string | Schema>>): Schema {
  const all = Object.entries(fields).map(([name, of]) =>
    [name, typeof of !== "string" ? of : { type: of.includes("|") ? of.split("|") : of }] as const
  );
  return {
    type: "object",
    required: all.map(([name]) => name).filter((name) => !name.endsWith("?")),
    properties: Object.fromEntries(all.map(([name, of]) => [name.replace(/\?$/, ""), of])),
  };
}

/** Schema of an array. */
export const list = (items: Schema): Schema => ({ type: "array", items });

/** An answer that is JSON. */
export const jsonAnswer = (description: string, schema: Schema): Answer => ({
  description,
  content: { "application/json": schema },
});

/** An answer that is one of these, as the request asks. */
export const either = (...answers: readonly Answer[]): Answer => ({
  description: answers.map(({ description }) => description).join("; "),
  content: Object.assign({}, ...answers.map(({ content }) => content)),
});

/** The answers of a live stream: `own` is the format of one who does not ask for any, and stands first. */
export function streamAnswers(
  own: FormatName,
  description: string,
  names: readonly FormatName[] = formats.map(({ name }) => name),
): { 200: Answer; 204: Answer; 406: string } {
  const ordered = formats.filter(({ name }) => names.includes(name))
    .sort((a, b) => Number(b.name === own) - Number(a.name === own));
  const content = ordered.flatMap(({ name, mediaTypes }) =>
    mediaTypes.map((type) => [type.split(";", 1)[0], { type: "string", description: inWords[name] }])
  );
  return {
    200: { description: `a stream: ${description}`, content: Object.fromEntries(content) },
    204: { description: "the reader came back with the id `end`: the stream is complete" },
    406: "Accept allows none of the formats",
  };
}

/** The answers of a stream that is a run where it is given a name. */
export function sharedAnswers(own: FormatName, description: string) {
  const other = "the run of this name has another path, or other parameters";
  return { ...streamAnswers(own, description), 409: other };
}

const inWords: Record<FormatName, string> = {
  text: "one line an event; complete only when the body ends well",
  ndjson: 'one JSON object a line, {"id", "event", "data"}; the last has the event "end"',
  sse: 'server-sent events with id, event and data; the last is "end"',
};
