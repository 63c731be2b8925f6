import { h } from "./dom.js";
import { timeOfDay } from "./units.js";

/** A region of rows, the newest first; `hint` shows while there is none. @param {string} label @param {string} hint */
export const newest = (label, hint) =>
  h("div", { className: "output newest", tabIndex: 0, role: "region", ariaLabel: label, "data-hint": hint });

/** Adds rows, the oldest first; of all the 500 newest stay. @param {Element} region @param {HTMLElement[]} rows */
export function add(region, ...rows) {
  region.prepend(...rows.slice(-500).reverse());
  while (region.childElementCount > 500) region.lastChild?.remove();
}

/** A row of what came, now or nobody knows when. @param {string} text @param {Date | null} [time] @param {HTMLElement} [sign] */
export function row(text, time = new Date(), sign) {
  const shown = text.length > 4_000 ? `${text.slice(0, 4_000)} …` : text;
  return h("div", {}, h("time", {}, time && timeOfDay(time)), sign, h("span", {}, shown));
}
