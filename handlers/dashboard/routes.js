import { curl, getJson, may, quoted } from "./api.js";
import { bar, choice, command, confirmed, h, panel, put } from "./dom.js";
import { field, prose } from "./fields.js";
import { socketPlace, socketTab, tryIt } from "./try_it.js";
import { t } from "./words.js";

/** @typedef {{ description: string, content?: Record<string, any> }} Answer */
/** @typedef {{ method: string, target: string, type?: string, body?: string }} Asked */
/** A route as `GET /` describes it. @typedef {{ method: string, path: string, description: string, curl: string, access: string, params: import("./fields.js").Param[], body?: Answer, answers?: Record<string, string | Answer> }} Route */

/** `#routes`; `#routes/GET/stream` with that one open. @type {import("./main.js").View["mount"]} */
export async function mount(root, place, signal) {
  const about = t("Every route of the server: open one to try it, here or with curl. The same for tools:");
  put(root, [h("p", {}, about, " ", h("a", { href: "/openapi.json" }, "OpenAPI 3.1"))]);
  /** @type {Route[]} */
  const routes = await getJson("/");
  put(root, routes.map((route) => row(route, place, signal)));
  root.querySelector("details[open]")?.scrollIntoView();
}

function row(/** @type {Route} */ route, /** @type {string} */ place, /** @type {AbortSignal} */ signal) {
  const { method, path, description, access } = route;
  const right = may(access) ? null : h("small", {}, t("needs the right {right}", { right: access }));
  const name = [h("b", { "data-method": method }, method), h("code", {}, path)];
  const details = h("details", {}, h("summary", {}, name, h("span", {}, prose(description)), right));
  details.ontoggle = () => {
    if (!details.open) return;
    history.replaceState(null, "", `#routes/${method}${path}`);
    if (details.childElementCount === 1) details.append(content(route, signal));
  };
  details.open = method + path === place;
  return details;
}

/** What a row shows once it is open. @param {Route} route @param {AbortSignal} signal */
function content(route, signal) {
  const { access, curl, answers = {}, body } = route;
  const needs = curl.startsWith("#") && h("p", { className: "gap" }, curl.slice(2));
  const rows = Object.entries(answers).map(([status, each]) => answer(status, each));
  if (body) rows.unshift(answer(t("body"), body));
  const table = rows.length > 0 && h("table", {}, h("caption", {}, t("Answers")), rows);
  return panel(needs, may(access) ? routeForm(route, signal) : [], table);
}

function answer(/** @type {string} */ status, /** @type {string | Answer} */ of) {
  const { description, content = {} } = typeof of === "string" ? { description: of } : of;
  const types = Object.entries(content).map(([type, schema]) => {
    const words = schema.description ? h("small", {}, schema.description) : h("code", {}, brief(schema));
    return h("div", {}, h("code", {}, type), " ", words);
  });
  return h("tr", {}, h("th", { scope: "row" }, status), h("td", {}, prose(description), types));
}

/** A schema as `[{id: string, value: number|null}]`. @param {any} schema @returns {string} */
function brief({ type = [], enum: words, anyOf, items, properties, required = [] }) {
  if (words) return words.map((/** @type {unknown} */ word) => JSON.stringify(word)).join("|");
  if (anyOf) return anyOf.map(brief).join(" | ");
  if (items) return `[${brief(items)}]`;
  if (!properties) return [type].flat().join("|");
  const mark = (/** @type {string} */ name) => required.includes(name) ? name : `${name}?`;
  return `{${Object.entries(properties).map(([name, of]) => `${mark(name)}: ${brief(of)}`).join(", ")}}`;
}

/** What the route's own example has for each parameter, in order. @param {Route} route @returns {string[][]} */
function exampleOf({ path, params, curl }) {
  const url = URL.parse(/'(https?:[^']+)'$/.exec(curl)?.[1] ?? "");
  const pattern = new RegExp(`^${path.replace(/:\w+|\*/g, "(.*)")}$`);
  const segments = pattern.exec(url?.pathname ?? "")?.slice(1).map(decodeURIComponent) ?? [];
  return params.map(({ name, in: where }) =>
    where === "path"
      ? segments.splice(0, 1).filter((text) => !/^(:\w+|\*)$/.test(text))
      : url?.searchParams.getAll(name) ?? []
  );
}

/** The line that asks the same. @param {Asked} asked */
function lineOf({ method, target, type, body }) {
  const how = method === (body === undefined ? "GET" : "POST") ? "" : ` -X ${method}`;
  const data = body === undefined ? "" : ` -H 'Content-Type: ${type}' --data-raw ${quoted(body)}`;
  return curl(target, `-N${how}${data}`);
}

/** The form of a route, the line that asks the same, and what it answers. @param {Route} route @param {AbortSignal} signal */
function routeForm(route, signal) {
  const { method, path, params, body, curl: example, answers = {} } = route;
  const values = exampleOf(route);
  const fields = params.map((param, i) => field(param, values[i]));
  const value = /-d '([^']*)'/.exec(example)?.[1] ?? '{"value":1}';
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
      if (where === "path") target = target.replace(`:${name}`, () => encoded);
      if (where === "path") target = target.replace("*", () => encoded.replaceAll("%2F", "/"));
      else for (const value of [first, ...others].filter(Boolean)) query.append(name, value);
    }
    if (query.size > 0) target += `?${query}`;
    return { method, target, type: posted && type.value, body: posted?.value };
  };

  const line = command("");
  const link = h("a", { target: "_blank" }, t("Open in a tab"));
  const answer = tryIt(signal);
  const inputs = fields.map(({ element }) => element);
  const isSocket = "101" in answers;
  const tab = socketTab();
  const tools = isSocket ? bar(tab) : bar(posted && type, answer.button, method === "GET" && link);
  const form = h("form", { className: "panel", noValidate: true }, inputs, posted, tools);
  form.onsubmit = async () => {
    const now = asked();
    const asks = method === "DELETE" && !answer.isRunning();
    if (!asks || await confirmed(`DELETE ${now.target}?`, t("Delete"))) await answer.run(now);
  };
  form.oninput = () => {
    line.textContent = lineOf(asked());
    link.href = asked().target;
    tab.href = socketPlace(asked().target);
  };
  form.dispatchEvent(new Event("input"));
  return isSocket ? [form, command(example)] : [form, line, answer.element];
}
