import { h } from "./dom.js";

// Control sequences, strings such as titles, other escapes (ECMA-48), and other controls but tabs.
const escapes =
  // deno-lint-ignore no-control-regex
  /\x1b(?:\[([\d:;<=>?]*)[ -/]*([@-~])?|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)|[\0-\x08\x0a-\x1f\x7f-\x9f]/g;

/** A terminal's colours; the style sheet makes them as light or dark as they can be read. */
const sixteen = "#000 #c33 #393 #a70 #36c #a3a #088 #aaa #666 #e44 #4a4 #c90 #58e #c5c #0aa #eee".split(" ");

/** A line without escapes and other controls. @param {string} line */
export const plain = (line) => line.replace(escapes, "");

/** A line in its colours: what is on is a class `sgr-N`, `ink` or `under`. @param {string} line */
export function painted(line) {
  const pieces = /** @type {(string | HTMLElement)[]} */ ([]);
  const style = /** @type {Map<string, string>} */ (new Map());
  let at = 0;
  const add = (/** @type {number} */ end) => {
    if (end === at) return;
    const text = line.slice(at, end);
    const span = style.size > 0 && h("span", { className: [...style.keys()].join(" ") }, text);
    for (const [name, colour] of style) span && span.style.setProperty(`--${name}`, colour);
    pieces.push(span || text);
  };
  for (const match of line.matchAll(escapes)) {
    add(match.index);
    at = match.index + match[0].length;
    if (match[2] === "m") change(style, match[1]);
  }
  add(line.length);
  return pieces;
}

/** `ESC [ … m`. @param {Map<string, string>} style @param {string} parameters */
function change(style, parameters) {
  // 38:2:SPACE:R:G:B has a colour space.
  const codes = parameters.replace(/([34]8:2):\d*:(?=\d+:\d+:\d)/g, "$1:").split(/[:;]/).map(Number);
  for (let code; (code = codes.shift()) !== undefined;) {
    const [tens, ones] = [Math.floor(code / 10), code % 10];
    const part = tens === 4 || tens === 10 ? "under" : "ink";
    if (code === 0) style.clear();
    else if (tens === 0) style.set(`sgr-${code}`, "");
    else if (tens === 2) { for (const off of ones === 2 ? [1, 2] : [ones]) style.delete(`sgr-${off}`); }
    else if (ones === 9) style.delete(part);
    else if ([3, 4, 9, 10].includes(tens)) {
      style.set(part, ones === 8 ? extended(codes) : sixteen[ones + (tens > 8 ? 8 : 0)]);
    }
  }
}

/** The colour after 38 or 48: red, green and blue, or one of 256. @param {number[]} codes */
function extended(codes) {
  if (codes.shift() === 2) return `rgb(${codes.splice(0, 3).join(" ")})`;
  const n = codes.shift() ?? 0;
  const steps = [0, 95, 135, 175, 215, 255];
  const parts = [36, 6, 1].map((of) => n < 232 ? steps[Math.floor((n - 16) / of) % 6] : 8 + 10 * (n - 232));
  return n < 16 ? sixteen[n] : `rgb(${parts.join(" ")})`;
}
