import { empty, fill, h, oncePerFrame, put } from "./dom.js";
import { onKey } from "./keys.js";
import { hashOf, levels } from "./log_line.js";
import { logList } from "./log_list.js";
import { LogPane } from "./log_pane.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** Rows in all panes, and logs at once. */
const [maxRows, maxLogs] = [2_000, 8];

/** @type {import("./main.js").View["mount"]} */
export async function mount(root, place) {
  /** @type {LogPane[]} */
  let panes = [];
  /** @type {string[]} */
  let chosen = [];

  const search = (/** @type {string} */ label) =>
    h("input", { type: "search", ariaLabel: label, placeholder: label });
  const tick = (/** @type {boolean} */ checked) => h("input", { type: "checkbox", checked });
  const [grep, not, anyCase, wrap, beside] = [
    search(t("Search")),
    search(t("Without")),
    tick(true),
    tick(true),
    tick(false),
  ];
  const named = (/** @type {HTMLElement} */ input, /** @type {string} */ text) =>
    h("label", {}, input, ` ${text}`);
  const level = h(
    "select",
    { ariaLabel: t("Level") },
    levels.map((name, i) =>
      h(
        "option",
        { value: i },
        i === 0 ? t("all levels") : i === 5 ? name : t("{level} and above", { level: name }),
      )
    ),
  );
  const besideLabel = named(beside, t("side by side"));
  const matches = h("small");
  const area = h("div", { className: "panes" });
  const list = logList((names) => go(names.slice(0, maxLogs)));
  const form = h("form", { className: "bar", role: "search" }, [
    grep,
    not,
    named(anyCase, t("any case")),
    level,
    named(wrap, t("wrap")),
    besideLabel,
    h("button", { title: t("Enter does it, too") }, t("Search the server")),
    matches,
  ]);
  put(root, [h("div", { className: "split" }, list.element, h("div", { className: "panel" }, form, area))]);

  const folded = (/** @type {string} */ text) => anyCase.checked ? text.toLowerCase() : text;
  /** @param {import("./log_line.js").Item} item */
  function isWanted({ kind, text, level: has = 0 }) {
    if (kind === "gap" || kind === "note") return true;
    const line = folded(text);
    return has >= Number(level.value) && line.includes(folded(grep.value)) &&
      (not.value === "" || !line.includes(folded(not.value)));
  }
  const asked = () => ({
    grep: grep.value,
    not: not.value,
    icase: grep.value + not.value !== "" && anyCase.checked || undefined,
  });

  const filter = oncePerFrame(() => {
    for (const { rows } of panes) rows.filter();
    const items = panes.flatMap(({ rows }) => rows.items);
    const shown = items.filter(({ row }) => row?.hidden === false).length;
    matches.textContent = shown === items.length
      ? ""
      : t("{n} of {all} lines", { n: count(shown), all: count(items.length) });
  });
  for (const input of [grep, not, anyCase, level]) input.addEventListener("input", filter);
  wrap.onchange = () => area.classList.toggle("unwrapped", !wrap.checked);
  beside.onchange = () => go(chosen);
  form.onsubmit = (event) => {
    event.preventDefault();
    for (const pane of panes) void (grep.value + not.value === "" ? pane.follow() : pane.search(asked()));
  };

  /** Opens logs, and the address says so. @param {string[]} names */
  function go(names) {
    history.pushState(null, "", names.length === 0 ? "#logs" : hashOf(names, "", beside.checked ? "|" : ","));
    open(location.hash.slice("#logs/".length));
  }

  /** @param {string} place Names, and the cursor of a line. */
  function open(place) {
    const [names, cursor = ""] = place.split("/");
    chosen = names.split(/[,|]/).filter(Boolean).slice(0, maxLogs).map(decoded);
    if (chosen.length > 1) beside.checked = names.includes("|");
    besideLabel.hidden = chosen.length < 2;
    for (const pane of panes) pane.close();
    const groups = beside.checked ? chosen.map((name) => [name]) : chosen.length === 0 ? [] : [chosen];
    panes = groups.map((group) =>
      new LogPane(group, cursor, Math.floor(maxRows / groups.length), isWanted, asked)
    );
    fill(area, panes.length === 0 ? empty(t("Choose a log.")) : panes.map(({ element }) => element));
    list.show(chosen);
    list.element.open = chosen.length === 0 || matchMedia("(min-width: 48rem)").matches;
    filter();
  }

  // The list and what is typed stay, where a link leads to other logs.
  root.onclick = (event) => {
    const link = /** @type {Element} */ (event.target).closest("a[href^='#logs/']");
    if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.ctrlKey || event.metaKey) {
      return;
    }
    event.preventDefault();
    history.pushState(null, "", link.hash);
    open(link.hash.slice("#logs/".length));
  };
  const keys = [
    onKey("/", t("search"), () => grep.focus()),
    onKey(" ", t("pause, or follow"), () => {
      const isFollowing = panes.some((pane) => pane.isFollowing);
      for (const pane of panes) void (isFollowing ? pane.pause() : pane.follow());
    }),
    onKey("g", t("to the begin"), () => panes.forEach((pane) => void pane.begin())),
    onKey("G", t("to the end"), () => panes.forEach((pane) => void pane.follow())),
  ];
  open(place);
  try {
    const logs = await list.look();
    // The server's own has a line for each request of this page.
    const rank = (/** @type {{ name: string, time: string | null }} */ { name, time }) =>
      name === "access.log" ? "" : time ?? "";
    const [newest] = logs.sort((a, b) => rank(b).localeCompare(rank(a)));
    if (chosen.length === 0 && newest !== undefined) open(hashOf([newest.name]).slice("#logs/".length));
  } catch (error) {
    fill(area, h("p", { role: "alert" }, /** @type {Error} */ (error).message));
  }
  return () => {
    for (const end of keys) end();
    for (const pane of panes) pane.close();
    list.close();
  };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
