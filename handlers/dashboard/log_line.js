import { painted, plain } from "./ansi.js";
import { ask, records } from "./api.js";
import { button, h } from "./dom.js";
import { pretty } from "./units.js";
import { t } from "./words.js";

/** What a row shows: a line (`unfinished` until its newline comes), a gap, or a note; the cursor after it. @typedef {{ name: string, text: string, kind: "line" | "unfinished" | "gap" | "note", cursor?: string, level?: number, row?: HTMLElement }} Item */

/** The levels by their numbers; the words that lines have for 1 to 5; and syslog's severities. */
export const levels = ["", t("trace"), t("debug"), t("info"), t("warning"), t("error")];
const words = /^(?:(trace|verbose)$|(debug)$|(info|notice)|(warn)|(err|crit|fatal|panic|alert|emerg))/i;
const severities = [5, 5, 5, 5, 4, 3, 3, 2];
const levelOfWord = (/** @type {string} */ word) => words.exec(word)?.findLastIndex(Boolean) ?? 0;

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

/** The rows of items that follow one. @param {Item[]} items @param {Item | undefined} previous @param {boolean} isNamed Whether they say their log. @param {(item: Item) => boolean} isWanted Whether one is shown. */
export function rowsOf(items, previous, isNamed, isWanted) {
  const rows = document.createDocumentFragment();
  for (const item of items) {
    item.row = rowOf(item, previous, isNamed);
    item.row.hidden = !isWanted(item);
    rows.append(item.row);
    previous = item;
  }
  return rows;
}

/** The row of an item, whose level it sets: a line that is indented has that of the one before. @param {Item} item @param {Item | undefined} previous @param {boolean} isNamed */
function rowOf(item, previous, isNamed) {
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
  const props = { className: "unfold", tabIndex: -1, ariaExpanded: "false", ariaLabel: t("Unfold") };
  const unfold = button("", () => {
    const isOpen = unfold.ariaExpanded === "true";
    unfold.ariaExpanded = String(!isOpen);
    if (isOpen) unfold.parentElement?.lastElementChild?.remove();
    else unfold.parentElement?.append(h("pre", {}, pretty(json)));
  }, props);
  return unfold;
}

/** Arrows go from line to line: with Tab there would be thousands. @param {KeyboardEvent & { currentTarget: HTMLElement }} event */
export function byArrows(event) {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0) return;
  /** @type {HTMLElement[]} */
  const stops = Array.from(event.currentTarget.querySelectorAll(".line:not([hidden]) > [tabindex]"));
  const at = stops.findIndex((stop) => stop === document.activeElement);
  (at < 0 ? stops.at(-1) : stops[at + step])?.focus();
  event.preventDefault();
}

/** Where lines of logs are asked for: of one, or of several merged. @param {string[]} names @param {Record<string, unknown>} query */
export function targetOf(names, query) {
  const isOne = names.length === 1;
  const parameters = new URLSearchParams(isOne ? [] : names.map((name) => ["name", name]));
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") parameters.set(name, String(value));
  }
  return `/logs${isOne ? `/${encodeURIComponent(names[0])}` : ""}?${parameters}`;
}

/** What a record of logs is as an item. @param {import("./feed.js").Heard} record @param {string} name @returns {Item} */
export function itemOf({ id, event, cursor = id, data }, name) {
  if (event === "searched") {
    return { name, kind: "note", cursor: data.from, text: t("Searched back to here") };
  }
  const lost = t("Lines may be missing here: the file was cut or replaced, or an older one is gone");
  if (event === "gap") return { name: data.name ?? name, kind: "gap", text: lost };
  const { line = data, name: own = name, cursor: after = cursor } = Object(data);
  return { name: own, kind: event === "unfinished" ? event : "line", text: line, cursor: after };
}

/** Lines: those that are given, or that there are now, up to `limit` unless `lines` bounds them; and whether those were all. @param {string[]} names @param {Item[] | Record<string, unknown>} query @param {AbortSignal} signal @param {number} limit */
export async function linesOf(names, query, signal, limit) {
  if (Array.isArray(query)) return { items: query, isWhole: false };
  const items = /** @type {Item[]} */ ([]);
  const target = targetOf(names, { ...query, follow: false, format: "ndjson" });
  for await (const batch of records(await ask(target, { signal }))) {
    for (const record of batch) {
      if (record.event === "end") return { items, isWhole: true };
      const item = itemOf(record, names[0]);
      if (item.kind === "line" && item.cursor === undefined) item.kind = "unfinished";
      if (items.push(item) === limit && !query.lines) return { items, isWhole: false };
    }
  }
  throw new Error(t("the answer was cut"));
}
