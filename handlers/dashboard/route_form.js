import { who } from "./api.js";
import { command, confirmed, decoded, h } from "./dom.js";
import { choice, field } from "./fields.js";
import { tryIt } from "./try_it.js";
import { t } from "./words.js";

/** @typedef {{ method: string, target: string, type?: string, body?: string }} Asked */
/** @typedef {import("./routes.js").Route} Route */

/** What the route's own example has for each parameter, in order. @param {Route} route @returns {string[][]} */
function exampleOf({ path, params, curl }) {
  const url = URL.parse(/'(https?:[^']+)'$/.exec(curl)?.[1] ?? "");
  const pattern = new RegExp(`^${path.replace(/:\w+|\*/g, "(.*)")}$`);
  const segments = pattern.exec(url?.pathname ?? "")?.slice(1).map(decoded) ?? [];
  return params.map(({ name, in: where }) =>
    where === "path" ? segments.splice(0, 1) : url?.searchParams.getAll(name) ?? []
  );
}

/** One word for a shell. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The line that asks the same. @param {Asked} asked */
function curlOf({ method, target, type, body }) {
  const how = method === (body === undefined ? "GET" : "POST") ? "" : ` -X ${method}`;
  const token = who().name === null ? "" : ' -H "Authorization: Bearer $WEIR_TOKEN"';
  const data = body === undefined ? "" : ` -H 'Content-Type: ${type}' --data-raw ${quoted(body)}`;
  return `curl -N${how}${token}${data} ${quoted(location.origin + target)}`;
}

/** The form of a route, the line that asks the same, and what it answers. @param {Route} route @param {AbortSignal} signal */
export function routeForm(route, signal) {
  const { method, path, params, body, curl } = route;
  const example = exampleOf(route);
  const fields = params.map((param, i) => field(param, example[i]));
  const value = /-d '([^']*)'/.exec(curl)?.[1] ?? '{"value":1}';
  const posted = body && h("textarea", { rows: 3, value, ariaLabel: t("Body") });
  const types = Object.keys(body?.content ?? {}).map((type) => [type]);
  const type = choice(types, { ariaLabel: "Content-Type" });

  /** @returns {Asked} */
  const asked = () => {
    const query = new URLSearchParams();
    let target = path;
    for (const { param: { name, in: where }, read } of fields) {
      const [first = "", ...others] = read();
      const encoded = encodeURIComponent(first);
      if (where === "query") {
        for (const value of [first, ...others].filter(Boolean)) query.append(name, value);
      } else {target = target.replace(`:${name}`, () => encoded).replace("*", () =>
          encoded.replaceAll("%2F", "/"));}
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
  form.oninput = () => {
    line.textContent = curlOf(asked());
    link.href = asked().target;
  };
  form.dispatchEvent(new Event("input"));
  return [form, line, answer.element];
}
