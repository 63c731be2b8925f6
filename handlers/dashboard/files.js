import { getJson } from "./api.js";
import { empty, fill, h, put } from "./dom.js";
import { filePreview } from "./file_preview.js";
import { ago, count, fullTime, size } from "./units.js";
import { t } from "./words.js";

/** @typedef {{ name: string, type: "file" | "directory", size: number | null, time: string | null }} Entry */

/** Names that are added to the table at once. */
const atOnce = 500;

/** What the table is sorted by; folders come first. @type {Record<string, (a: Entry, b: Entry) => number>} */
const orders = {
  name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
  size: (a, b) => (a.size ?? 0) - (b.size ?? 0),
  time: (a, b) => (a.time ?? "").localeCompare(b.time ?? ""),
};

/** @type {import("./main.js").View["mount"]} */
export function mount(root, place) {
  /** The folder that is shown, as in the address. @type {string | null} */
  let folder = null;
  /** What is known of it. @type {Entry[]} */
  let entries = [];
  /** @type {string | null} */
  let next = null;
  let [hidden, column, sign, shown] = [0, "name", 1, atOnce];
  let stop = new AbortController();

  const crumbs = h("nav", { className: "bar", ariaLabel: t("Folder") });
  const body = h("tbody");
  const heads = Object.entries({ name: t("Name"), size: t("Size"), time: t("Changed") }).map(([id, title]) =>
    h("th", { scope: "col", id }, h("button", { className: "quiet", onclick: () => sort(id) }, title))
  );
  const table = h("table", { hidden: true }, h("thead", {}, h("tr", {}, heads)), body);
  const more = h("button", { hidden: true, onclick: showMore }, t("More names"));
  const said = h("p", { className: "caption" });
  const preview = h("section", { className: "panel", ariaLabel: t("Preview") });
  put(root, [
    h("div", { className: "split" }, h("div", { className: "panel" }, crumbs, table, said, more), preview),
  ]);

  /** @param {Entry} entry */
  function rowOf({ name, type, size: bytes, time }) {
    const isFolder = type === "directory";
    const href = `#files/${folder}${encodeURIComponent(name)}${isFolder ? "/" : ""}`;
    const date = time === null ? null : new Date(time);
    const title = bytes === null ? "" : t("{n} bytes", { n: count(bytes) });
    return h("tr", {}, [
      h("td", {}, h("a", { href }, h("bdi", {}, name), isFolder && "/")),
      h("td", { className: "number", title }, bytes === null ? "" : size(bytes)),
      h("td", { className: "number caption", title: date && fullTime(date) }, date && ago(date)),
    ]);
  }

  function draw() {
    const rank = (/** @type {Entry} */ { type }) => type === "directory" ? 0 : 1;
    entries.sort((a, b) => rank(a) - rank(b) || sign * orders[column](a, b));
    fill(body, entries.slice(0, shown).map(rowOf));
    for (const head of heads) {
      head.ariaSort = head.id !== column ? null : sign > 0 ? "ascending" : "descending";
    }
    more.hidden = shown >= entries.length && next === null;
    table.hidden = entries.length === 0;
    const all = count(entries.length) + (next === null ? "" : "+");
    said.textContent = [
      entries.length === 0 && t("This folder is empty."),
      !more.hidden && t("{n} of {all} names", { n: count(body.rows.length), all }),
      hidden > 0 && t("{n} names that are not UTF-8 are not shown", { n: count(hidden) }),
    ].filter(Boolean).join(" · ");
  }

  /** @param {string} id */
  function sort(id) {
    sign = id === column ? -sign : 1;
    column = id;
    draw();
  }

  /** Adds the names after one. @param {string} after */
  async function load(after) {
    const query = after && `?after=${encodeURIComponent(after)}`;
    const part = await getJson(`/files/${folder}${query}`, { signal: stop.signal });
    entries.push(...part.entries);
    next = part.next;
    hidden += part.hidden;
  }

  async function showMore() {
    shown += atOnce;
    if (shown > entries.length && next !== null) await load(next).catch(failed);
    draw();
  }

  /** @param {Error} error */
  function failed(error) {
    if (error.name !== "AbortError") fill(preview, h("p", { role: "alert" }, error.message));
  }

  /** @param {string} place A folder, which ends in a slash, or a file, as in the address. */
  async function open(place) {
    stop.abort();
    stop = new AbortController();
    const at = place.lastIndexOf("/") + 1;
    if (place.slice(0, at) !== folder) {
      const hasFocus = body.contains(document.activeElement);
      folder = place.slice(0, at);
      [entries, next, hidden, shown] = [[], null, 0, atOnce];
      const links = folder.split("/").map((_, i, names) => {
        const href = `#files/${names.slice(0, i).map((name) => `${name}/`).join("")}`;
        return h("a", { href }, h("bdi", {}, i === 0 ? t("files") : decodeURIComponent(names[i - 1])));
      });
      fill(crumbs, links.flatMap((link) => [link, "/"]).slice(0, -1));
      try {
        await load("");
      } catch (error) {
        table.hidden = more.hidden = true;
        return failed(/** @type {Error} */ (error));
      }
      draw();
      if (hasFocus) links.at(-1)?.focus();
    }
    for (const link of body.querySelectorAll("a")) {
      link.ariaCurrent = link.hash === `#files/${place}` ? "true" : null;
    }
    if (place.length === at) return fill(preview, empty(t("Choose a file to see what is in it.")));
    fill(preview, filePreview(place, stop.signal));
    if (matchMedia("(max-width: 48rem)").matches) preview.scrollIntoView();
  }

  // The table stays where it is, where a link leads to another place of it.
  root.onclick = (event) => {
    const link = /** @type {Element} */ (event.target).closest("a[href^='#files/']");
    if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    history.pushState(null, "", link.hash);
    void open(link.hash.slice("#files/".length));
  };
  void open(place);
  return () => stop.abort();
}
