import { bar, fill, h, oncePerFrame } from "./dom.js";
import { watch } from "./feed.js";
import { hashOf, itemOf, linesOf, rowsOf } from "./log_line.js";
import { listOf, onServer } from "./server.js";
import { t } from "./words.js";

/** Lines, characters of each, and ms for which they rest between two changes. */
const [most, longest, calmMs] = [12, 500, 200];

/** @typedef {import("./log_line.js").Item} Item */

/** The last lines of a log that one chooses; the choice is remembered. @param {HTMLElement} root @param {AbortSignal} over */
export function tail(root, over) {
  const select = h("select", { "aria-label": t("Log") });
  const all = h("a", {}, t("all of it"));
  const lines = h("div", { className: "tail mono" });
  root.append(bar(h("h2", {}, t("Last lines")), select, all), lines);
  let items = /** @type {Item[]} */ ([]);
  let [chosen, listed] = ["", ""];
  let following = new AbortController();

  const draw = oncePerFrame(() => fill(lines, rowsOf(items, undefined, false, () => true)), calmMs);

  function add(/** @type {Item[]} */ more) {
    const all = [...items, ...more].filter(({ kind }, i, { length }) =>
      kind !== "unfinished" || i === length - 1
    );
    items = all.slice(-most).map((item) => ({ ...item, text: item.text.slice(0, longest) }));
    draw();
  }

  async function follow(/** @type {string} */ name) {
    following.abort();
    following = new AbortController();
    const { signal } = following;
    chosen = name;
    items = [];
    all.href = hashOf([name]);
    try {
      const { items: there } = await linesOf([name], { lines: most }, signal, most);
      if (signal.aborted) return;
      add(there);
      const since = there.findLast(({ cursor }) => cursor !== undefined)?.cursor;
      const hear = (/** @type {import("./feed.js").Heard[]} */ heard) =>
        add(heard.filter(({ event }) => event !== "state").slice(-most).map((each) => itemOf(each, name)));
      watch(`log:${name}`, since, signal, hear);
    } catch (error) {
      if (signal.aborted) return;
      add([{ name, kind: "note", text: /** @type {Error} */ (error).message }]);
      // Again, once the server says anything.
      chosen = "";
    }
  }

  onServer(() => {
    const names = listOf("logs").map(({ name }) => name);
    root.hidden = names.length === 0;
    if (names.join("/") !== listed) fill(select, names.map((name) => h("option", {}, name)));
    listed = names.join("/");
    if (chosen !== "") select.value = chosen;
    if (chosen !== "" || names.length === 0) return;
    const remembered = localStorage.getItem("overview.log") ?? "";
    const first = names.find((name) => name !== "access.log") ?? names[0];
    void follow(select.value = names.includes(remembered) ? remembered : first);
  }, over);
  select.onchange = () => {
    localStorage.setItem("overview.log", select.value);
    void follow(select.value);
  };
  over.addEventListener("abort", () => following.abort());
}
