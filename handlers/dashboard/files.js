import { ask, curl, getJson, quoted } from "./api.js";
import { alert, bar, button, command, decoded, empty, fill, h, panel, placesOf, split } from "./dom.js";
import { ago, count, fullTime, size } from "./units.js";
import { t } from "./words.js";

/** @typedef {{ name: string, type: "file" | "directory", size: number | null, time: string | null }} Entry */

/** Names that are added to the table at once, bytes of a text that are shown, bytes of an image that are loaded. */
const [atOnce, textBytes, imageBytes] = [500, 65_536, 50_000_000];

/** @type {import("./main.js").View["mount"]} */
export function mount(root, place, signal) {
  /** The folder that is shown, as in the address; what is known of it. @type {string | null} */
  let folder = null;
  /** @type {{ entries: Entry[], next: string | null, hidden: number }} */
  let known = { entries: [], next: null, hidden: 0 };
  let stop = new AbortController();
  const crumbs = h("nav", { className: "bar", ariaLabel: t("Folder") });
  const body = h("tbody");
  const heads = [t("Name"), t("Size"), t("Changed")].map((name) => h("th", { scope: "col" }, name));
  const table = h("table", { hidden: true }, h("thead", {}, h("tr", {}, heads)), body);
  const more = button(t("More names"), () => add().catch(failed), { hidden: true });
  const said = h("p", { className: "caption" });
  const preview = h("section", { className: "panel", ariaLabel: t("Preview") });
  root.append(split(panel(crumbs, table, said, more), preview));

  function rowOf(/** @type {Entry} */ { name, type, size: bytes, time }) {
    const slash = type === "directory" ? "/" : "";
    const href = `#files/${folder}${encodeURIComponent(name)}${slash}`;
    const title = bytes === null ? "" : t("{n} bytes", { n: count(bytes) });
    return h("tr", {}, [
      h("td", {}, h("a", { href }, h("bdi", {}, name), slash)),
      h("td", { className: "number", title }, bytes === null ? "" : size(bytes)),
      h("td", { className: "number caption", title: time && fullTime(time) }, time && ago(time)),
    ]);
  }

  /** Adds names, folders first: those that are known, and then those after them. */
  async function add() {
    const rank = (/** @type {Entry} */ { type }) => type === "directory" ? 0 : 1;
    const before = known;
    if (body.rows.length === known.entries.length) {
      const after = known.next === null ? "" : `?after=${encodeURIComponent(known.next)}`;
      const part = await getJson(`/files/${folder}${after}`, { signal: stop.signal });
      // Two clicks ask for the same.
      if (known !== before) return;
      part.entries.sort((/** @type {Entry} */ a, /** @type {Entry} */ b) =>
        rank(a) - rank(b) || a.name.localeCompare(b.name, undefined, { numeric: true })
      );
      known = { ...part, entries: [...known.entries, ...part.entries], hidden: known.hidden + part.hidden };
    }
    const { entries, next, hidden } = known;
    body.append(...entries.slice(body.rows.length, body.rows.length + atOnce).map(rowOf));
    table.hidden = entries.length === 0;
    more.hidden = body.rows.length === entries.length && next === null;
    const all = count(entries.length) + (next === null ? "" : "+");
    fill(said, [
      table.hidden && t("This folder is empty."),
      !more.hidden && t("{n} of {all} names", { n: count(body.rows.length), all }),
      hidden > 0 && " " + t("{n} names that are not UTF-8 are not shown", { n: count(hidden) }),
    ]);
  }

  const failed = (/** @type {Error} */ error) => error.name === "AbortError" || fill(preview, alert(error));

  /** @param {string} place A folder, which ends in a slash, or a file, as in the address. */
  async function open(place) {
    const names = place.split("/").map(decoded);
    // Any page may link here: what would lead out of /files is no place.
    place = names.some((name) => /^\.\.?$/.test(name)) ? "" : names.map(encodeURIComponent).join("/");
    stop.abort();
    stop = new AbortController();
    const at = place.lastIndexOf("/") + 1;
    if (place.slice(0, at) !== folder) {
      const hasFocus = body.contains(document.activeElement);
      folder = place.slice(0, at);
      known = { entries: [], next: null, hidden: 0 };
      for (const part of [body, said]) fill(part);
      table.hidden = more.hidden = true;
      const links = ["", ...folder.split("/").slice(0, -1)].map((name, i, names) => {
        const href = `#files/${names.slice(1, i + 1).map((name) => `${name}/`).join("")}`;
        return h("a", { href }, h("bdi", {}, i === 0 ? t("files") : decoded(name)));
      });
      fill(crumbs, links.flatMap((link) => ["/", link]).slice(1));
      if (hasFocus) links.at(-1)?.focus();
      fill(preview, empty(t("Choose a file to see what is in it.")));
      await add();
    }
    for (const link of body.querySelectorAll("a")) {
      link.ariaCurrent = link.hash === `#files/${place}` ? "true" : null;
    }
    if (place.length === at) return;
    fill(preview, ...fileOf(place, stop.signal));
    if (matchMedia("(max-width: 48rem)").matches) preview.scrollIntoView();
  }

  placesOf(root, "files", (place) => open(place).catch(failed));
  open(place).catch(failed);
  signal.addEventListener("abort", () => stop.abort());
}

/** A file: what is in it, as far as that can be shown, and how to get it. @param {string} path As in an address. @param {AbortSignal} signal */
function fileOf(path, signal) {
  const names = path.split("/").map(decoded);
  const name = names[names.length - 1];
  const [caption, content] = [h("small", {}, t("loading")), h("div", { className: "preview" })];
  const file = `/async_download?file=${encodeURIComponent(names.join("/"))}`;
  contentOf(path, name, signal).then(([shown, said]) => {
    fill(content, shown);
    caption.textContent = said;
  }, (error) => fill(content, alert(error)));
  const links = [
    h("a", { href: `/files/${path}`, target: "_blank" }, t("Open")),
    h("a", { href: file, download: name }, t("Download")),
  ];
  const output = encodeURIComponent(name) === name ? "-O" : `-o ${quoted(name)}`;
  return [
    bar(h("h2", {}, h("bdi", {}, name)), caption, h("span", { className: "grow" }), links),
    content,
    h("p", { className: "caption" }, t("In a shell; the same line goes on after a cut:")),
    command(curl(`/files/${path.replaceAll("'", "%27")}`, `-C - ${output}`)),
  ];
}

/** What is shown of a file, and what is said of that. @param {string} path @param {string} name @param {AbortSignal} signal @returns {Promise<[HTMLElement, string]>} */
async function contentOf(path, name, signal) {
  const src = `/files/${path}`;
  const init = { signal, headers: { Range: `bytes=0-${textBytes - 1}` } };
  const response = await ask(src, init).catch((error) => {
    if (error.status !== 416) throw error;
  });
  if (response === undefined) return [empty(t("The file is empty.")), size(0)];
  const { headers } = response;
  const all = Number(headers.get("content-range")?.split("/")[1] ?? headers.get("content-length"));
  const type = headers.get("content-type") ?? "";
  if (type.startsWith("image/") && all <= imageBytes) return [h("img", { src, alt: name }), size(all)];
  // What it loads is in a sandbox by its own header; within one of the frame Chromium shows no PDF.
  if (type === "application/pdf") return [h("iframe", { src, title: name }), size(all)];
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.includes(0)) return [empty(t("This is no text, image or PDF: nothing to show.")), size(all)];
  const text = new TextDecoder().decode(bytes, { stream: true });
  const said = t("the first {shown} of {all}", { shown: size(bytes.length), all: size(all) });
  return [
    h("pre", { className: "output", tabIndex: 0, ariaLabel: name }, text),
    all > bytes.length ? said : size(all),
  ];
}
