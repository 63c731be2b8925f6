import { atEnd, h, oncePerFrame } from "./dom.js";
import { timeOfDay } from "./units.js";

/** Rows that are shown: the newest. */
export const most = 300;

/** A region of rows, the newest last, and what adds some; `hint` shows while there is none. @param {string} ariaLabel @param {string} hint */
export function newest(ariaLabel, hint) {
  const props = { className: "output newest", tabIndex: 0, role: "region", ariaLabel, "data-hint": hint };
  const region = h("div", props);
  let waiting = /** @type {HTMLElement[]} */ ([]);
  const draw = oncePerFrame(() =>
    atEnd(region, () => {
      region.append(...waiting);
      waiting = [];
      while (region.childElementCount > most) region.firstChild?.remove();
    })
  );
  const add = (/** @type {HTMLElement[]} */ ...rows) => {
    waiting = [...waiting, ...rows].slice(-most);
    draw();
  };
  return { region, add };
}

/** A row of what came, now or nobody knows when. @param {string} text @param {number | null} [time] @param {HTMLElement} [sign] */
export function row(text, time = Date.now(), sign) {
  const shown = text.length > 4_000 ? `${text.slice(0, 4_000)} …` : text;
  return h("div", {}, h("time", {}, time && timeOfDay(time)), sign, h("span", {}, shown));
}
