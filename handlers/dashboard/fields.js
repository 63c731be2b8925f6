import { bar, button, choice, h } from "./dom.js";
import { count } from "./units.js";
import { t } from "./words.js";

/**
 * A parameter as `GET /` describes it.
 *
 * @typedef {{ type: string, minimum?: number, maximum?: number, pattern?: string, enum?: string[], default?: unknown }} Schema
 * @typedef {{ name: string, in: "query" | "path", required: boolean, repeatable: boolean, atMost?: number, description: string, schema: Schema }} Param
 */

/** Ids of the page's hints. */
let ids = 0;

/** A text of README's kind: what stands between backticks is code. @param {string} text */
export const prose = (text) => text.split("`").map((part, i) => i % 2 === 1 ? h("code", {}, part) : part);

/** The control of one value. @param {Param} param @param {string | undefined} value @param {Record<string, unknown>} props */
function control({ required, schema }, value, props) {
  const { type, minimum: min, maximum: max, pattern, default: placeholder = "" } = schema;
  const words = type === "boolean" ? ["true", "false"] : schema.enum?.filter((word) => word !== "");
  if (words === undefined) {
    const rules = { type: type === "integer" ? "number" : "text", min, max, pattern, required, placeholder };
    return h("input", { ...rules, value, autocomplete: "off", ...props });
  }
  const select = choice([["", t("not given")], ...words.map((word) => [word])], props);
  // A flag without a value is true.
  select.value = value === "" ? "true" : value ?? "";
  return select;
}

/** The field of a parameter, and what reads its values. @param {Param} param @param {string[]} values What it begins with. */
export function field(param, values) {
  const { name, description, required, repeatable, atMost = Infinity, schema } = param;
  const { minimum, maximum, default: absent } = schema;
  const id = `hint-${++ids}`;
  const controls = /** @type {(HTMLInputElement | HTMLSelectElement)[]} */ ([]);
  const add = /** @param {string} [value] */ (value) => {
    const made = control(param, value, { ariaLabel: name, "aria-describedby": id });
    more.before(made);
    more.hidden = controls.push(made) >= atMost || !repeatable;
    return made;
  };
  const more = button(t("Add another"), () => add().focus());
  const box = bar(more);
  for (const value of values.length === 0 ? [undefined] : values) add(value);
  const facts = [
    description,
    required && t("required"),
    minimum !== undefined && maximum !== undefined && `${count(minimum)} – ${count(maximum)}`,
    absent !== undefined && absent !== "" && t("default: {value}", { value: String(absent) }),
  ];
  const hint = h("small", { id }, prose(facts.filter(Boolean).join(" · ")));
  const element = h("div", { className: "field" }, h("code", {}, name), box, hint);
  return { param, element, read: () => controls.map(({ value }) => value).filter((value) => value !== "") };
}
