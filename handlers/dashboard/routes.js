import { getJson, may } from "./api.js";
import { command, h, put } from "./dom.js";
import { prose } from "./fields.js";
import { routeForm } from "./route_form.js";
import { t } from "./words.js";

/**
 * A route as `GET /` describes it.
 *
 * @typedef {{ description: string, content?: Record<string, any> }} Answer
 * @typedef {{ method: string, path: string, description: string, curl: string, access: string, params: import("./fields.js").Param[], body?: Answer, answers?: Record<string, string | Answer> }} Route
 */

/** `#routes`; `#routes/GET/stream` with that one open. @type {import("./main.js").View["mount"]} */
export async function mount(root, place) {
  const over = new AbortController();
  const about = t("Every route of the server: open one to try it, here or with curl. The same for tools:");
  put(root, [h("p", {}, about, " ", h("a", { href: "/openapi.json" }, "OpenAPI 3.1"))]);
  /** @type {Route[]} */
  const routes = await getJson("/");
  put(root, routes.map((route) => row(route, place, over.signal)));
  root.querySelector("details[open]")?.scrollIntoView();
  return () => over.abort();
}

/** @param {Route} route @param {string} place @param {AbortSignal} signal */
function row(route, place, signal) {
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
  const socket =
    () => [h("p", {}, h("a", { href: "#channels/ws" }, t("Try it in the WebSocket tab"))), command(curl)];
  const form = !may(access) ? [] : "101" in answers ? socket() : routeForm(route, signal);
  const needs = curl.startsWith("#") && h("p", { className: "gap" }, curl.slice(2));
  const rows = Object.entries(answers).map(([status, each]) => answer(status, each));
  if (body) rows.unshift(answer(t("body"), body));
  const table = rows.length > 0 && h("table", {}, h("caption", {}, t("Answers")), rows);
  return h("div", { className: "panel" }, needs, form, table);
}

/** @param {string} status @param {string | Answer} of */
function answer(status, of) {
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
