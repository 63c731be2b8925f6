import { type FormatName, formats } from "../stream/formats/table.ts";
import type { RoutePath } from "./router.ts";
import type { Params } from "./param_reader.ts";
import { type Param, segment } from "./params.ts";

/** Who may ask for a route: everybody, or one who holds this right. */
export type Access = "open" | "read" | "publish" | "metrics" | "admin";

/** What a body or a part of one is: JSON Schema 2020-12. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

/** Media types, each with what a body of that type holds. */
export type Content = Readonly<Record<string, Schema>>;

/** What a route answers with one status. */
export interface Answer {
  /** What it says. */
  readonly description: string;
  /** The types of its body. Default: none. */
  readonly content?: Content;
}

/** Answers by status; of an error the reason is enough. */
export type Answers = Readonly<Record<number, Answer | string>>;

/** What a handler takes and answers, beside its method and path. */
export interface Description<P extends Params = Params> {
  /** Parameters of the query, and the segments of the path. */
  readonly params?: P;
  /** The body that a request must have. Default: none. */
  readonly body?: { readonly description: string; readonly content: Content };
  /** What every route can answer is left out. */
  readonly answers?: Answers;
}

/** A row of the route table, as far as it describes a route. */
export interface DescribedRoute extends RoutePath {
  readonly description: string;
  readonly handler: { readonly about?: Description };
  readonly access?: Access;
  readonly anySite?: boolean;
  readonly hidden?: boolean;
}

/** One parameter, as clients are told of it. */
export interface ParamInfo {
  name: string;
  in: "query" | "path";
  required: boolean;
  repeatable: boolean;
  /** How often it may be given, where that is bounded. */
  atMost?: number;
  description: string;
  schema: Param["schema"];
}

/** The parameters of a route: the segments of its path, described or not, and those of its query. */
export function paramsOf({ path, handler: { about } }: DescribedRoute): ParamInfo[] {
  const segments = path.split("/").filter((part) => part === "*" || part.startsWith(":"))
    .map((part) => [part.replace(":", ""), segment("")]);
  const all: Params = { ...Object.fromEntries(segments), ...about?.params };
  return Object.entries(all).map(([name, param]) => ({
    name: name === "*" ? "path" : name,
    in: param.in ?? "query",
    required: param.required ?? false,
    repeatable: param.atMost !== undefined,
    atMost: param.atMost === Infinity ? undefined : param.atMost,
    description: param.description,
    schema: param.schema,
  }));
}

/** What is said of a route beside its method, path and description. */
export function factsOf(route: DescribedRoute): object {
  const { access = "read", handler: { about: { body, answers } = {} } } = route;
  return { access, params: paramsOf(route), body, answers };
}

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

const inWords: Record<FormatName, string> = {
  text: "one line an event; complete only when the body ends well",
  ndjson: 'one JSON object a line, {"id", "event", "data"}; the last has the event "end"',
  sse: 'server-sent events with id, event and data; the last is "end"',
};
