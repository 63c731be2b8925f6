import { getJson } from "./api.js";
import { alert, arrange, bar, choice, command, decoded, empty, every, fill, h, oncePerFrame } from "./dom.js";
import { panel, placesOf, split, tick } from "./dom.js";
import { onKey } from "./keys.js";
import { hashOf, levels } from "./log_line.js";
import { logPane } from "./log_pane.js";
import { listOf, onServer } from "./server.js";
import { ago, count, fullTime, size } from "./units.js";
import { t } from "./words.js";

/** Rows in all panes, logs at once, logs in the list, and ms between two looks at their sizes. */
const [maxRows, maxLogs, maxListed, lookMs] = [2_000, 8, 200, 10_000];

/** A field to search by. @param {string} ariaLabel */
const search = (ariaLabel) => h("input", { type: "search", ariaLabel, placeholder: ariaLabel });

/** @typedef {{ name: string, size: number, time: string | null, rotated: boolean }} Info */

/** @type {import("./main.js").View["mount"]} */
export async function mount(root, place, signal) {
  let panes = /** @type {ReturnType<typeof logPane>[]} */ ([]);
  let chosen = /** @type {string[]} */ ([]);

  const [grep, not] = [search(t("Search")), search(t("Without"))];
  const [anyCase, wrap, beside] = [t("any case"), t("wrap"), t("side by side")].map((text, i) =>
    tick(text, i < 2)
  );
  const above = levels.slice(1).map((level, i) => [String(i + 1), t("{level} and above", { level })]);
  const options = [["0", t("all levels")], ...above];
  const level = choice(options, { ariaLabel: t("Level") });
  const [matches, area] = [h("small"), h("div", { className: "panes" })];
  const list = logList((names) => go(names.slice(0, maxLogs)), signal);
  const isWide = matchMedia("(min-width: 48rem)").matches;
  const submit = h("button", { title: t("Enter does it, too") }, t("Search the server"));
  const filters = bar(not, anyCase.label, level, wrap.label, beside.label, submit);
  const details = h("details", { open: isWide }, h("summary", {}, t("Filter")), filters);
  const form = h("form", { className: "bar", role: "search" }, grep, details, matches);
  root.append(split(list.element, panel(form, area)));

  const folded = (/** @type {string} */ text) => anyCase.box.checked ? text.toLowerCase() : text;
  function isWanted(/** @type {import("./log_line.js").Item} */ { kind, text, level: has = 0 }) {
    const line = folded(text);
    const isOut = not.value !== "" && line.includes(folded(not.value));
    return kind === "gap" || kind === "note" ||
      has >= Number(level.value) && line.includes(folded(grep.value)) && !isOut;
  }
  const asked = () => ({ grep: grep.value, not: not.value, icase: anyCase.box.checked });

  const filter = oncePerFrame(() => {
    const sums = panes.map((pane) => pane.filter());
    const [n, all] = [0, 1].map((i) => sums.reduce((sum, each) => sum + each[i], 0));
    matches.textContent = n === all ? "" : t("{n} of {all} lines", { n: count(n), all: count(all) });
  });
  for (const input of [grep, not, anyCase.box, level]) input.oninput = filter;
  wrap.box.onchange = () => area.classList.toggle("unwrapped", !wrap.box.checked);
  beside.box.onchange = () => go(chosen);
  form.onsubmit = () => {
    for (const pane of panes) void (grep.value + not.value === "" ? pane.follow() : pane.find(asked()));
  };

  /** Goes to logs, as a link does. @param {string[]} names */
  function go(names) {
    const hash = hashOf(names, "", beside.box.checked ? "|" : ",");
    history.pushState(null, "", names.length === 0 ? "#logs" : hash);
    open(location.hash.slice("#logs/".length));
  }

  /** @param {string} place Names, and the cursor of a line. */
  function open(place) {
    const [names, cursor = ""] = place.split("/");
    chosen = names.split(/[,|]/).filter(Boolean).slice(0, maxLogs).map(decoded);
    if (chosen.length > 1) beside.box.checked = names.includes("|");
    beside.label.hidden = chosen.length < 2;
    panes.forEach((pane) => pane.close());
    const groups = beside.box.checked || chosen.length === 0 ? chosen.map((name) => [name]) : [chosen];
    panes = groups.map((each) => logPane(each, cursor, Math.floor(maxRows / groups.length), isWanted, asked));
    fill(area, panes.length === 0 ? empty(t("Choose a log.")) : panes.map(({ element }) => element));
    list.show(chosen);
    list.element.open = chosen.length === 0 || isWide;
    filter();
  }

  placesOf(root, "logs", open);
  onKey("/", t("search"), signal, () => grep.focus());
  onKey(" ", t("pause, or follow"), signal, () => {
    const isFollowing = panes.some((pane) => pane.isFollowing());
    for (const pane of panes) void (isFollowing ? pane.pause() : pane.follow());
  });
  onKey("g", t("the first lines"), signal, () => panes.forEach((pane) => void pane.begin()));
  onKey("G", t("the last lines"), signal, () => panes.forEach((pane) => void pane.follow()));
  signal.addEventListener("abort", () => panes.forEach((pane) => pane.close()));
  open(place);
  try {
    // The server's own has a line for each request of this page.
    const rank = (/** @type {Info} */ { name, time }) => name === "access.log" ? "" : time ?? "";
    const [newest] = [...await list.look()].sort((a, b) => rank(b).localeCompare(rank(a)));
    if (!signal.aborted && chosen.length === 0 && newest !== undefined) {
      open(hashOf([newest.name]).slice("#logs/".length));
    }
  } catch (error) {
    fill(area, alert(/** @type {Error} */ (error)));
  }
}

/** The logs, to choose one of, or to add others by their boxes. @param {(names: string[]) => void} choose @param {AbortSignal} signal */
function logList(choose, signal) {
  let infos = /** @type {Info[]} */ ([]);
  let chosen = /** @type {string[]} */ ([]);
  const rows = /** @type {Map<string, HTMLLIElement>} */ (new Map());
  const find = search(t("Find a log"));
  const list = h("ul");
  const [title, rest] = [h("small"), h("p", { className: "caption" })];
  const hint = command("deno task start --logs /var/log");
  const summary = h("summary", {}, t("Logs"), " ", title);
  const element = h("details", { className: "log-list" }, summary, find, list, rest, hint);
  const draw = oncePerFrame(drawNow);
  find.oninput = draw;

  function rowOf(/** @type {Info} */ { name, size: bytes, time }) {
    const others = () => chosen.filter((each) => each !== name);
    const onchange = () => choose(chosen.includes(name) ? others() : [...chosen, name]);
    const ariaLabel = t("Show {name} too", { name });
    const row = rows.get(name) ?? h("li", { className: "bar" }, [
      h("input", { type: "checkbox", ariaLabel, onchange }),
      h("a", { className: "choice", href: hashOf([name]) }),
    ]);
    rows.set(name, row);
    const [box, link] = /** @type {[HTMLInputElement, HTMLAnchorElement]} */ ([...row.children]);
    box.checked = chosen.includes(name);
    link.ariaCurrent = box.checked ? "true" : null;
    link.title = time === null ? "" : fullTime(time);
    const caption = time === null ? t("empty") : t("{size}, {time}", { size: size(bytes), time: ago(time) });
    fill(link, h("bdi", {}, name), h("small", {}, caption));
    return row;
  }

  function drawNow() {
    const wanted = infos.filter(({ name }) => name.toLowerCase().includes(find.value.toLowerCase()));
    const shown = wanted.slice(0, maxListed).map(rowOf);
    arrange(list, shown);
    title.textContent = chosen.join(", ");
    find.hidden = infos.length < 10;
    hint.hidden = infos.length !== 1;
    rest.hidden = wanted.length <= maxListed;
    rest.textContent = t("and {n} more: find them by name", { n: count(wanted.length - maxListed) });
  }

  /** @returns {Promise<Info[]>} */
  async function look() {
    infos = await getJson("/logs");
    draw();
    return infos;
  }
  onServer(() => void (listOf("logs").length === infos.length || look().catch(() => {})), signal);
  every(() => document.hidden || look().catch(() => {}), lookMs, signal);
  /** Shows which are chosen. @param {string[]} names */
  const show = (names) => (chosen = names, draw());
  return { element, look, show };
}
