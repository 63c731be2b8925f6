import { type Answer, type Answers, type Content, type DescribedRoute, paramsOf } from "./description.ts";

/** What the document says of the whole. */
export interface ApiInfo {
  /** Name of the server. */
  title: string;
  /** Its version. */
  version: string;
  /** What it is. */
  description: string;
  /** Its license, by its SPDX identifier. */
  license: { name: string; identifier: string };
}

/** A document of OpenAPI 3.1 that describes these routes, but for those that are hidden. */
export function openApi(routes: readonly DescribedRoute[], info: ApiInfo): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    if (route.hidden) continue;
    // OpenAPI has no parameter that may hold slashes: its description says so.
    const path = route.path.replace(/:(\w+)/g, "{$1}").replace("*", "{path}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: "3.1.1",
    info,
    // Relative to the document: the same for every name and proxy.
    servers: [{ url: "/" }],
    // Without tokens everybody is let in.
    security: [{ bearer: [] }, {}],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { Error: { type: "object", required: ["error"], properties: { error: { type: "string" } } } },
    },
  };
}

function operation(route: DescribedRoute): object {
  const { method, path, description, access = "read", handler: { about: { body, answers } = {} } } = route;
  const parameters = paramsOf(route).map(({ repeatable, atMost: maxItems, schema, ...param }) => ({
    ...param,
    schema: repeatable ? { type: "array", items: schema, maxItems } : schema,
  }));
  const all = { ...usualAnswers(route), ...answers };
  return {
    operationId: `${method.toLowerCase()} ${path}`.replace(/\W+(\w?)/g, (_, letter) => letter.toUpperCase()),
    summary: description,
    "x-access": access,
    ...(access === "open" ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { ...body, required: true, content: contentOf(body.content) } } : {}),
    responses: Object.fromEntries(Object.entries(all).map(([status, answer]) => [status, response(answer)])),
  };
}

/** What the server answers around each handler. */
function usualAnswers(
  { anySite, access, handler: { about: { params, body, answers = {} } = {} } }: DescribedRoute,
): Answers {
  const usual: Record<number, Answer | string> = {
    421: "the server has another name",
    503: "the server is shutting down, or has too much to do: `Retry-After` says when to come back",
  };
  if (Object.keys(answers).every((status) => Number(status) >= 300)) {
    usual[200] = { description: "the answer" };
  }
  if (access !== "open") {
    usual[401] = "there are tokens, and none was given, or one that is unknown or has ended";
  }
  if (!anySite || access !== "open") usual[403] = "a page of another site asks, or the token lacks the right";
  if (params || body) usual[400] = body ? "a parameter or the body is wrong" : "a parameter is wrong";
  if (!body) return usual;
  return {
    ...usual,
    408: "the body is too slow",
    413: "the body is too large",
    415: "the body is of another type",
  };
}

function response(answer: Answer | string): object {
  if (typeof answer !== "string") {
    return { ...answer, ...(answer.content ? { content: contentOf(answer.content) } : {}) };
  }
  return {
    description: answer,
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  };
}

const contentOf = (content: Content) =>
  Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
