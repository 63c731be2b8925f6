import { decoded, empty, fill, h, oncePerFrame, placesOf, put } from "./dom.js";
import { onKey } from "./keys.js";
import { hashOf, levels } from "./log_line.js";
import { logList } from "./log_list.js";
import { logPane } from "./log_pane.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** Rows in all panes, and logs at once. */
const [maxRows, maxLogs] = [2_000, 8];

/** @type {import("./main.js").View["mount"]} */
export async function mount(root, place) {
  /** @type {ReturnType<typeof logPane>[]} */
  let panes = [];
  /** @type {string[]} */
  let chosen = [];

  const [grep, not] = [t("Search"), t("Without")].map((label) =>
    h("input", { type: "search", ariaLabel: label, placeholder: label })
  );
  const [anyCase, wrap, beside] = [true, true, false].map((checked) =>
    h("input", { type: "checkbox", checked })
  );
  const options = levels.map((name, value) =>
    h("option", { value }, value === 0 ? t("all levels") : t("{level} and above", { level: name }))
  );
  const level = h("select", { ariaLabel: t("Level") }, options);
  const besideLabel = h("label", {}, beside, " ", t("side by side"));
  const [matches, area] = [h("small"), h("div", { className: "panes" })];
  const list = logList((names) => go(names.slice(0, maxLogs)));
  const isWide = matchMedia("(min-width: 48rem)").matches;
  const filters = h("div", { className: "bar" }, [
    not,
    h("label", {}, anyCase, " ", t("any case")),
    level,
    h("label", {}, wrap, " ", t("wrap")),
    besideLabel,
    h("button", { title: t("Enter does it, too") }, t("Search the server")),
  ]);
  const form = h("form", { className: "bar", role: "search" }, [
    grep,
    h("details", { open: isWide }, h("summary", {}, t("Filter")), filters),
    matches,
  ]);
  put(root, [h("div", { className: "split" }, list.element, h("div", { className: "panel" }, form, area))]);

  const folded = (/** @type {string} */ text) => anyCase.checked ? text.toLowerCase() : text;
  /** @param {import("./log_line.js").Item} item */
  function isWanted({ kind, text, level: has = 0 }) {
    const line = folded(text);
    const isOut = not.value !== "" && line.includes(folded(not.value));
    return kind === "gap" || kind === "note" ||
      has >= Number(level.value) && line.includes(folded(grep.value)) && !isOut;
  }
  const asked = () => ({ grep: grep.value, not: not.value, icase: anyCase.checked });

  const filter = oncePerFrame(() => {
    const sums = panes.map((pane) => pane.filter());
    const [n, all] = [0, 1].map((i) => sums.reduce((sum, each) => sum + each[i], 0));
    matches.textContent = n === all ? "" : t("{n} of {all} lines", { n: count(n), all: count(all) });
  });
  for (const input of [grep, not, anyCase, level]) input.oninput = filter;
  wrap.onchange = () => area.classList.toggle("unwrapped", !wrap.checked);
  beside.onchange = () => go(chosen);
  form.onsubmit = (event) => {
    event.preventDefault();
    for (const pane of panes) void (grep.value + not.value === "" ? pane.follow() : pane.find(asked()));
  };

  /** Goes to logs, as a link does. @param {string[]} names */
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
    const groups = beside.checked || chosen.length === 0 ? chosen.map((name) => [name]) : [chosen];
    panes = groups.map((each) => logPane(each, cursor, Math.floor(maxRows / groups.length), isWanted, asked));
    fill(area, panes.length === 0 ? empty(t("Choose a log.")) : panes.map(({ element }) => element));
    list.show(chosen);
    list.element.open = chosen.length === 0 || isWide;
    filter();
  }

  placesOf(root, "logs", open);
  const keys = [
    onKey("/", t("search"), () => grep.focus()),
    onKey(" ", t("pause, or follow"), () => {
      const isFollowing = panes.some((pane) => pane.isFollowing());
      for (const pane of panes) void (isFollowing ? pane.pause() : pane.follow());
    }),
    onKey("g", t("the first lines"), () => panes.forEach((pane) => void pane.begin())),
    onKey("G", t("the last lines"), () => panes.forEach((pane) => void pane.follow())),
  ];
  open(place);
  try {
    // The server's own has a line for each request of this page.
    const rank = (/** @type {import("./log_list.js").Info} */ { name, time }) =>
      name === "access.log" ? "" : time ?? "";
    const [newest] = [...await list.look()].sort((a, b) => rank(b).localeCompare(rank(a)));
    if (chosen.length === 0 && newest !== undefined) open(hashOf([newest.name]).slice("#logs/".length));
  } catch (error) {
    fill(area, h("p", { role: "alert" }, /** @type {Error} */ (error).message));
  }
  return () => {
    for (const end of [...keys, ...panes.map(({ close }) => close), list.close]) end();
  };
}
