import { h } from "./dom.js";

// Control sequences, strings such as links and titles, other escapes (ECMA-48), and other controls but tabs.
const escapes =
  // deno-lint-ignore no-control-regex
  /\x1b(?:\[([\d:;<=>?]*)[ -/]*([@-~])?|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)|[\0-\x08\x0a-\x1f\x7f-\x9f]/g;

/** The colours of a terminal; the style sheet makes them as light or dark as they can be read. */
const sixteen = ("#000 #c33 #393 #a70 #36c #a3a #088 #aaa #666 #e44 #4a4 #c90 #58e #c5c #0aa #eee").split(
  " ",
);

/** @typedef {{ classes: Set<string>, "--ink"?: string, "--under"?: string }} Style */

/** A line without escapes and other controls. @param {string} line */
export const plain = (line) => line.replace(escapes, "");

/** A line in its colours. @param {string} line @returns {(string | HTMLElement)[]} */
export function painted(line) {
  /** @type {Style} */
  let style = { classes: new Set() };
  /** @type {(string | HTMLElement)[]} */
  const pieces = [];
  let at = 0;
  for (const match of [...line.matchAll(escapes), { index: line.length, 0: "", 1: "", 2: "" }]) {
    const text = line.slice(at, match.index);
    if (text !== "") pieces.push(style.classes.size === 0 ? text : span(text, style));
    at = match.index + match[0].length;
    if (match[2] === "m") style = changed(style, match[1]);
  }
  return pieces;
}

/** @param {string} text @param {Style} style */
function span(text, { classes, ...colours }) {
  const element = h("span", { className: [...classes].join(" ") }, text);
  for (const [name, colour] of Object.entries(colours)) element.style.setProperty(name, colour);
  return element;
}

/** What `ESC [ … m` makes of a style: what is on is a class `sgr-N`. @param {Style} style @param {string} parameters @returns {Style} */
function changed(style, parameters) {
  let next = { ...style, classes: new Set(style.classes) };
  // 38:2:SPACE:R:G:B has a colour space.
  const codes = parameters.replace(/([34]8:2):\d*:(?=\d+:\d+:\d)/g, "$1:").split(/[:;]/).map(Number);
  while (codes.length > 0) {
    const code = /** @type {number} */ (codes.shift());
    const tens = Math.floor(code / 10);
    const part = [4, 10].includes(tens) ? "--under" : "--ink";
    if (code === 0) next = { classes: new Set() };
    else if (tens === 0) next.classes.add(`sgr-${code}`);
    else if (tens === 2) {
      for (const off of code === 22 ? [1, 2] : [code - 20]) next.classes.delete(`sgr-${off}`);
    } else if (code % 10 === 9) next.classes.delete(part.slice(2));
    else if ([3, 4, 9, 10].includes(tens)) {
      next.classes.add(part.slice(2));
      next[part] = code % 10 === 8 ? extended(codes) : sixteen[code % 10 + (tens > 8 ? 8 : 0)];
    }
  }
  return next;
}

/** The colour after 38 or 48: one of 256, or red, green and blue. @param {number[]} codes */
function extended(codes) {
  const [kind, n = 0] = codes.splice(0, codes[0] === 2 ? 1 : 2);
  if (kind === 2) return `rgb(${codes.splice(0, 3).join(" ")})`;
  if (n < 16) return sixteen[n];
  if (n >= 232) return `rgb(${Array(3).fill(8 + 10 * (n - 232)).join(" ")})`;
  return `rgb(${
    [36, 6, 1].map((step) => [0, 95, 135, 175, 215, 255][Math.floor((n - 16) / step) % 6]).join(" ")
  })`;
}
