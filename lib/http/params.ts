import { HttpError, quote } from "../stream/errors.ts";
import { type FormatName, formats } from "../stream/formats/table.ts";

/** What a value may be, in the words of JSON Schema. */
export interface ValueSchema {
  readonly type: "string" | "integer" | "boolean";
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly examples?: readonly string[];
  readonly default?: string | number | boolean;
}

/** One parameter of a route: what is said of it, and what becomes of it. */
export interface Param<T = unknown> {
  /** What it does. */
  readonly description: string;
  /** What each of its values may be. */
  readonly schema: ValueSchema;
  /** Where it stands. Default: the query. */
  readonly in?: "path";
  /** Whether a request without it is refused. Default: false. */
  readonly required?: boolean;
  /** How often it may be given. Default: once. */
  readonly atMost?: number;
  /**
   * Its value, of all that were given; of none it is the default.
   *
   * @throws HttpError 400 that names the parameter, the rule and the value
   */
  readonly read: (values: readonly string[], name: string) => T;
}

/** A refusal in the words of every parameter: the name with its rule, and the value. */
const refuse = (rule: string, value: string): never => {
  throw new HttpError(400, `${rule}: current value is ${quote(value)}`);
};

/** A parameter that is given once, or not at all; `parse` gives undefined for a value against the rule. */
function single<T, A>(
  description: string,
  schema: ValueSchema,
  absent: A,
  parse: (value: string) => T | undefined,
  rule = "",
): Param<T | A> {
  const read = ([value]: readonly string[], name: string) =>
    value === undefined ? absent : parse(value) ?? refuse(`${name} must be ${rule}`, value);
  return { description, schema, read };
}

/** A whole number from `min` to `max`. */
export function int(
  { min, max, default: absent }: { min: number; max: number; default: number },
  description: string,
): Param<number> {
  const schema: ValueSchema = { type: "integer", minimum: min, maximum: max, default: absent };
  const parse = (value: string) => parseWhole(value, min, max);
  return single(description, schema, absent, parse, `a whole number from ${min} to ${max}`);
}

/** Decimal digits as a number; undefined for anything else, and for a number out of bounds. */
export function parseWhole(value: string, min: number, max: number): number | undefined {
  const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : NaN;
  return number >= min && number <= max ? number : undefined;
}

const truth: ReadonlyMap<string, boolean> = new Map([["true", true], ["1", true], ["false", false], [
  "0",
  false,
]]);

/** `true` or `false`, also `1` or `0`. */
export function bool({ default: absent }: { default: boolean }, description: string): Param<boolean> {
  const schema: ValueSchema = { type: "boolean", default: absent };
  return single(description, schema, absent, (value) => truth.get(value), "true or false");
}

/** A word that is there, or is not; also `true` or `false`. */
export function flag(description: string): Param<boolean> {
  const parse = (value: string) => value === "" || truth.get(value);
  return single(description, { type: "string", enum: ["", "true", "false"] }, false, parse, "true or false");
}

/** Any text. */
export function text(description: string): Param<string | undefined> {
  return single(description, { type: "string" }, undefined, (value) => value);
}

/** A text of at most `max` characters in one line. Default: "". */
export function line({ max }: { max: number }, description: string): Param<string> {
  const schema: ValueSchema = { type: "string", maxLength: max, pattern: "^[^\\r\\n]*$", default: "" };
  // Characters, as JSON Schema counts them: a query of more code units than twice as many has too many.
  const fits = (value: string) => value.length <= max || value.length <= 2 * max && [...value].length <= max;
  const parse = (value: string) => fits(value) && !/[\r\n]/.test(value) ? value : undefined;
  return single(description, schema, "", parse, `at most ${max} characters in one line`);
}

/** One of these words. */
export function oneOf<const W extends string>(
  words: readonly W[],
  description: string,
): Param<W | undefined> {
  const parse = (value: string) => words.find((word) => word === value);
  const rule = new Intl.ListFormat("en-GB", { type: "disjunction" }).format(words);
  return single(description, { type: "string", enum: words }, undefined, parse, rule);
}

/** A text that must be given, and not be empty. */
export function required({ example }: { example: string }, description: string): Param<string> {
  return {
    description,
    schema: { type: "string", examples: [example] },
    required: true,
    read: ([value], name) => {
      if (value) return value;
      const shown = value === undefined ? "absent" : '""';
      throw new HttpError(400, `${name} must be given, as in ?${name}=${example}: current value is ${shown}`);
    },
  };
}

/** A text that `parse` makes something of, or refuses with an HttpError 400; `pattern` says what it takes. */
export function parsed<T>(
  parse: (value: string) => T,
  { pattern }: { pattern: string },
  description: string,
): Param<T | undefined> {
  return single(description, { type: "string", pattern }, undefined, parse);
}

/** A parameter that may be given often: all its values, in order. */
export function many<T>(one: Param<T>, { max = Infinity } = {}): Param<readonly Exclude<T, undefined>[]> {
  return {
    ...one,
    atMost: max,
    read: (values, name) => values.map((value) => one.read([value], name) as Exclude<T, undefined>),
  };
}

/** What a `:name` segment of the path matched; `*` is the rest of it. */
export function segment(description: string): Param<string> {
  return { description, schema: { type: "string" }, in: "path", required: true, read: ([value]) => value };
}

/** Parameters of every stream: streamResponse and streamSocket take them from the query. */
export const cursorParams: Record<"after" | "lastEventId", Param<string | undefined>> = {
  after: text("an event's id: the stream goes on after it"),
  lastEventId: text(
    "the same, of EventSource polyfills; the header Last-Event-ID wins over it, and it over `after`",
  ),
};

/** The format of a stream: one of these. */
export const formatParam = (names: readonly FormatName[]): Param<string | undefined> =>
  oneOf(names, "how the events are written; wins over Accept");

/** Parameters of every stream over HTTP. */
export const streamParams: typeof cursorParams & Record<"format", Param<string | undefined>> = {
  format: formatParam(formats.map(({ name }) => name)),
  ...cursorParams,
};

/**
 * A name that is good in a path and in a list: `what` is "a channel's", say.
 *
 * @throws HttpError 400
 */
export function checkName(what: string, name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name;
  const rule = "must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit";
  return refuse(`${what} name ${rule}`, name);
}
