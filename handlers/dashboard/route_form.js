import { who } from "./api.js";
import { command, confirmed, h } from "./dom.js";
import { choice, field } from "./fields.js";
import { tryIt } from "./try_it.js";
import { t } from "./words.js";

/** @typedef {{ method: string, target: string, type?: string, body?: string }} Asked */
/** @typedef {import("./routes.js").Route} Route */

/** The values of the route's own example, by the names of its parameters. @param {Route} route @returns {Map<string, string[]>} */
function exampleOf({ path, params, curl }) {
  const text = /'(https?:[^']+)'$/.exec(curl)?.[1];
  if (text === undefined) return new Map();
  const { pathname, searchParams } = new URL(text);
  const segments = new RegExp(`^${path.replace(/:\w+|\*/g, "(.*)")}$`).exec(pathname)?.slice(1).values();
  return new Map(params.map(({ name, in: where }) => {
    const segment = where === "path" ? segments?.next().value : undefined;
    return [name, segment === undefined ? searchParams.getAll(name) : [decodeURIComponent(segment)]];
  }));
}

/** One word for a shell. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The line that asks the same. @param {Asked} asked */
function curlOf({ method, target, type, body }) {
  const words = ["curl -N"];
  if (method !== (body === undefined ? "GET" : "POST")) words.push(`-X ${method}`);
  if (who().name !== null) words.push('-H "Authorization: Bearer $WEIR_TOKEN"');
  if (body !== undefined) words.push(`-H 'Content-Type: ${type}' --data-raw ${quoted(body)}`);
  return [...words, quoted(location.origin + target)].join(" ");
}

/** The form of a route, the line that asks the same, and what it answers. @param {Route} route @param {AbortSignal} signal */
export function routeForm(route, signal) {
  const { method, path, params, body, curl } = route;
  const example = exampleOf(route);
  const fields = params.map((param) => field(param, example.get(param.name) ?? []));
  const value = /-d '([^']*)'/.exec(curl)?.[1] ?? '{"value":1}';
  const posted = body && h("textarea", { rows: 3, value, "aria-label": t("Body") });
  const types = Object.keys(body?.content ?? {}).map((type) => [type]);
  const type = choice(types, { "aria-label": "Content-Type" });

  /** @returns {Asked} */
  const asked = () => {
    const query = new URLSearchParams();
    let target = path;
    for (const { param: { name, in: where }, read } of fields) {
      const values = read();
      if (where === "query") { for (const value of values) query.append(name, value); }
      else {
        const encoded = encodeURIComponent(values[0] ?? "");
        target = target.replace(`:${name}`, () => encoded).replace("*", () => encoded.replaceAll("%2F", "/"));
      }
    }
    if (query.size > 0) target += `?${query}`;
    return { method, target, type: posted && type.value, body: posted?.value };
  };

  const line = command("");
  const link = h("a", { target: "_blank" }, t("Open in a tab"));
  const answer = tryIt(signal);
  const bar = h("div", { className: "bar" }, posted && type, answer.button, method === "GET" && link);
  const inputs = fields.map(({ element }) => element);
  const form = h("form", { className: "panel", noValidate: true }, inputs, posted, bar);
  form.onsubmit = async (event) => {
    event.preventDefault();
    const now = asked();
    const asks = method === "DELETE" && !answer.isRunning();
    if (!asks || await confirmed(`DELETE ${now.target}?`, t("Delete"))) await answer.run(now);
  };
  const draw = () => {
    const now = asked();
    line.textContent = curlOf(now);
    link.href = now.target;
  };
  form.oninput = draw;
  draw();
  return [form, line, answer.element];
}
