import { h, oncePerFrame } from "./dom.js";
import { fullTime, timeOfDay } from "./units.js";

/** Rows that are shown, and how many more there may be before the oldest go. */
const [most, spare] = [500, 100];
/** Characters of one row that are shown. */
const longest = 4_000;

/** A region of rows, the newest first; it says `hint` until there is one. @param {string} label @param {string} hint */
export function newest(label, hint) {
  const first = h("p", { className: "caption" }, hint);
  const props = { className: "output newest", tabindex: "0", role: "region", "aria-label": label };
  const element = h("div", props, first);
  /** @type {HTMLElement[]} */
  let waiting = [];
  const draw = oncePerFrame(() => {
    first.remove();
    element.prepend(...waiting.reverse());
    waiting = [];
    if (element.childElementCount <= most + spare) return;
    while (element.childElementCount > most) element.lastChild?.remove();
  });
  const add = (/** @type {HTMLElement} */ row) => {
    if (waiting.push(row) > most) waiting.shift();
    draw();
  };
  return { element, add };
}

/** A row of what came at a time; null where nobody knows when. @param {Date | null} time @param {string} text @param {HTMLElement} [sign] */
export const row = (time, text, sign) =>
  h(
    "div",
    {},
    time === null ? h("time", {}, "–") : h("time", { title: fullTime(time) }, timeOfDay(time)),
    sign,
    h("span", {}, text.length > longest ? `${text.slice(0, longest)} …` : text),
  );
