import { painted, plain } from "./ansi.js";
import { h } from "./dom.js";
import { t } from "./words.js";

/**
 * What a row shows: a line (`unfinished` until its newline comes), a gap, or a note. The cursor is that after the line.
 *
 * @typedef {{ name: string, text: string, kind: "line" | "unfinished" | "gap" | "note", cursor?: string, level?: number, row?: HTMLElement }} Item
 */

/** The levels by their numbers; the words that lines have for 1 to 5; and syslog's severities. */
export const levels = ["", t("trace"), t("debug"), t("info"), t("warning"), t("error")];
const words = [
  /^(trace|verbose)$/i,
  /^debug$/i,
  /^(info|notice)/i,
  /^warn/i,
  /^(err|crit|fatal|panic|alert|emerg)/i,
];
const severities = [5, 5, 5, 5, 4, 3, 3, 2];
const levelOfWord = (/** @type {string} */ word) => words.findIndex((each) => each.test(word)) + 1;

/** The address of logs (`,` merged, `|` side by side), or of a line. @param {string[]} names @param {string} [cursor] @param {string} [sign] */
export const hashOf = (names, cursor = "", sign = ",") =>
  `#logs/${names.map(encodeURIComponent).join(sign)}${cursor && "/"}${cursor}`;

/** A line's level as it says itself; 0 for none. @param {string} text @param {Record<string, any> | null} object */
function levelOf(text, object) {
  const level = object?.level ?? object?.severity ?? object?.lvl ?? object?.log?.level;
  if (level !== undefined) return Math.min(5, Math.floor(level / 10)) || levelOfWord(String(level));
  if (object !== null) {
    return object.status >= 500 ? 5 : object.status >= 400 ? 4 : severities[object.PRIORITY] ?? 0;
  }
  const priority = /^<(\d{1,3})>/.exec(text);
  if (priority !== null) return severities[Number(priority[1]) % 8];
  // In capitals, in brackets, before a colon or after a sign: others are words of a sentence.
  for (const [, sign, word, end] of text.slice(0, 200).matchAll(/([[(<=|]?)\b([a-z]+)\b([\])>:|]?)/gi)) {
    if ((sign + end !== "" || word === word.toUpperCase()) && levelOfWord(word) > 0) return levelOfWord(word);
  }
  return 0;
}

/** The row of an item, whose level it sets: a line that is indented has that of the one before. @param {Item} item @param {Item | undefined} previous @param {boolean} isNamed Whether it says its log. */
export function rowOf(item, previous, isNamed) {
  const { kind, name, text, cursor } = item;
  if (kind === "gap" || kind === "note") return h("div", { className: kind }, text);
  const bare = plain(text);
  let object = null;
  try {
    if (bare.startsWith("{")) object = JSON.parse(bare);
  } catch { /* It only looks like JSON. */ }
  const level = item.level = levelOf(bare, object) || (/^\s/.test(bare) && previous?.level) || 0;
  const title = `${levels[level]} ${t("link to this line")}`.trim();
  const link = { href: hashOf([name], cursor), tabIndex: -1, title, ariaLabel: title };
  return h("div", { className: `line ${kind}`, "data-level": level || undefined }, [
    h("a", { className: "at", ...cursor !== undefined && link }, "·TDIWE"[level]),
    isNamed && h("span", { className: "from" }, name),
    object !== null && unfolding(bare),
    h("span", { className: "text" }, painted(text)),
    kind === "unfinished" && h("small", {}, " ", t("(goes on)")),
  ]);
}

/** A button that shows JSON over several lines, and hides that again. @param {string} json */
function unfolding(json) {
  const button = h("button", {
    className: "unfold",
    tabIndex: -1,
    ariaExpanded: "false",
    ariaLabel: t("Unfold"),
  });
  button.onclick = () => {
    const isOpen = button.ariaExpanded === "true";
    button.ariaExpanded = String(!isOpen);
    if (isOpen) button.parentElement?.lastElementChild?.remove();
    else button.parentElement?.append(h("pre", {}, JSON.stringify(JSON.parse(json, exact), null, 2)));
  };
  return button;
}

/** Numbers stay as they are written, where the browser can do that. @param {string} _key @param {any} value @param {{ source?: string }} [context] */
const exact = (_key, value, context) =>
  typeof value === "number" && context?.source && "rawJSON" in JSON
    ? /** @type {any} */ (JSON).rawJSON(context.source)
    : value;
