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
