import { getJson } from "./api.js";
import { command, h, oncePerFrame } from "./dom.js";
import { hashOf } from "./log_line.js";
import { listOf, onServer } from "./server.js";
import { ago, count, fullTime, size } from "./units.js";
import { t } from "./words.js";

/** @typedef {{ name: string, size: number, time: string | null }} Info */

/** Logs that are shown in the list. */
const maxListed = 200;
/** Time between two looks at sizes and changes, in ms. */
const lookMs = 10_000;

/** The logs, to choose one of, or to add by its box. @param {(names: string[]) => void} choose */
export function logList(choose) {
  /** @type {Map<string, Info>} */
  let infos = new Map();
  /** @type {string[]} */
  let chosen = [];
  /** @type {Map<string, HTMLLIElement>} */
  const rows = new Map();
  const find = h("input", { type: "search", ariaLabel: t("Find a log"), placeholder: t("Find a log") });
  const list = h("ul");
  const rest = h("p", { className: "caption" });
  const hint = command("deno task start --logs /var/log");
  const title = h("small");
  const element = h(
    "details",
    { className: "log-list" },
    h("summary", {}, t("Logs"), " ", title),
    find,
    list,
    rest,
    hint,
  );

  /** @param {Info} info */
  function rowOf({ name, size: bytes, time }) {
    const row = rows.get(name) ?? h("li", { className: "bar" }, [
      h("input", {
        type: "checkbox",
        ariaLabel: t("Show {name} too", { name }),
        onchange: () =>
          choose(chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name]),
      }),
      h("a", { className: "choice", href: hashOf([name]) }, h("bdi", {}, name), h("small")),
    ]);
    rows.set(name, row);
    const [box, link] = /** @type {[HTMLInputElement, HTMLAnchorElement]} */ ([...row.children]);
    const caption = /** @type {HTMLElement} */ (link.lastChild);
    box.checked = chosen.includes(name);
    link.ariaCurrent = box.checked ? "true" : null;
    caption.textContent = time === null ? t("empty") : `${size(bytes)}, ${ago(new Date(time))}`;
    caption.title = time === null ? "" : fullTime(new Date(time));
    return row;
  }

  const draw = oncePerFrame(() => {
    const wanted = [...infos.values()].filter(({ name }) =>
      name.toLowerCase().includes(find.value.toLowerCase())
    );
    const shown = wanted.slice(0, maxListed).map(rowOf);
    if (shown.some((row, i) => row !== list.children[i]) || shown.length !== list.children.length) {
      const focus = /** @type {HTMLElement | null} */ (document.activeElement);
      list.replaceChildren(...shown);
      if (list.contains(focus)) focus?.focus({ preventScroll: true });
    }
    find.hidden = infos.size < 10;
    hint.hidden = infos.size !== 1;
    title.textContent = chosen.join(", ");
    rest.textContent = wanted.length > maxListed
      ? t("and {n} more: find them by name", { n: count(wanted.length - maxListed) })
      : "";
  });
  find.oninput = draw;

  async function look() {
    /** @type {Info[]} */
    const found = await getJson("/logs");
    infos = new Map(found.map((info) => [info.name, info]));
    for (const name of rows.keys()) if (!infos.has(name)) rows.delete(name);
    draw();
    return found;
  }
  let known = "";
  const end = onServer(() => {
    const names = listOf("logs").map(({ name }) => name).join("/");
    if (names !== known && known !== "") look().catch(() => {});
    known = names;
  });
  const timer = setInterval(() => document.hidden || look().catch(() => {}), lookMs);
  return {
    element,
    look,
    /** Shows which are chosen. @param {string[]} names */
    show(names) {
      chosen = names;
      draw();
    },
    close() {
      end();
      clearInterval(timer);
    },
  };
}
