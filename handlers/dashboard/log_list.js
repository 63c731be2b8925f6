import { getJson } from "./api.js";
import { arrange, command, h, oncePerFrame } from "./dom.js";
import { hashOf } from "./log_line.js";
import { listOf, onServer } from "./server.js";
import { ago, count, fullTime, size } from "./units.js";
import { t } from "./words.js";

/** @typedef {{ name: string, size: number, time: string | null }} Info */

/** Logs that are shown in the list, and ms between two looks at their sizes. */
const [most, lookMs] = [200, 10_000];

/** The logs, to choose one of, or to add others by their boxes. @param {(names: string[]) => void} choose */
export function logList(choose) {
  /** @type {Info[]} */
  let infos = [];
  /** @type {string[]} */
  let chosen = [];
  /** @type {Map<string, HTMLLIElement>} */
  const rows = new Map();
  const find = h("input", { type: "search", ariaLabel: t("Find a log"), placeholder: t("Find a log") });
  const list = h("ul");
  const [title, rest] = [h("small"), h("p", { className: "caption" })];
  const hint = command("deno task start --logs /var/log");
  const summary = h("summary", {}, t("Logs"), " ", title);
  const element = h("details", { className: "log-list" }, summary, find, list, rest, hint);
  const draw = oncePerFrame(drawNow);
  find.oninput = draw;

  /** @param {Info} info */
  function rowOf({ name, size: bytes, time }) {
    const onchange = () =>
      choose(chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]);
    const row = rows.get(name) ?? h("li", { className: "bar" }, [
      h("input", { type: "checkbox", ariaLabel: t("Show {name} too", { name }), onchange }),
      h("a", { className: "choice", href: hashOf([name]) }, h("bdi", {}, name), h("small")),
    ]);
    rows.set(name, row);
    const [box, link] = /** @type {[HTMLInputElement, HTMLAnchorElement]} */ ([...row.children]);
    const date = time === null ? null : new Date(time);
    box.checked = chosen.includes(name);
    link.ariaCurrent = box.checked ? "true" : null;
    link.title = date === null ? "" : fullTime(date);
    const caption = date === null ? t("empty") : `${size(bytes)}, ${ago(date)}`;
    if (link.lastChild !== null) link.lastChild.textContent = caption;
    return row;
  }

  function drawNow() {
    const wanted = infos.filter(({ name }) => name.toLowerCase().includes(find.value.toLowerCase()));
    const shown = wanted.slice(0, most).map(rowOf);
    arrange(list, shown);
    title.textContent = chosen.join(", ");
    find.hidden = infos.length < 10;
    hint.hidden = infos.length !== 1;
    rest.hidden = wanted.length <= most;
    rest.textContent = t("and {n} more: find them by name", { n: count(wanted.length - most) });
  }

  /** @returns {Promise<Info[]>} */
  async function look() {
    infos = await getJson("/logs");
    draw();
    return infos;
  }
  const end = onServer(() => void (listOf("logs").length === infos.length || look().catch(() => {})));
  const timer = setInterval(() => document.hidden || look().catch(() => {}), lookMs);
  /** Shows which are chosen. @param {string[]} names */
  function show(names) {
    chosen = names;
    draw();
  }
  function close() {
    end();
    clearInterval(timer);
  }
  return { element, look, show, close };
}
