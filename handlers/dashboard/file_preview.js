import { ask, Refused, who } from "./api.js";
import { command, fill, h } from "./dom.js";
import { size } from "./units.js";
import { t } from "./words.js";

/** Bytes of a text that are shown, and of an image that are loaded. */
const [textBytes, imageBytes] = [65_536, 50_000_000];

/** One word for a shell. @param {string} text */
const word = (text) => /^[\w.%/:@~-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** The line that fetches a file, and goes on where it was cut. @param {string} path As in an address. @param {string} name */
function curl(path, name) {
  const token = who().name === null ? "" : '-H "Authorization: Bearer $WEIR_TOKEN" ';
  const output = encodeURIComponent(name) === name ? "-O" : `-o ${word(name)}`;
  return `curl -C - ${token}${output} ${word(`${location.origin}/files/${path.replaceAll("'", "%27")}`)}`;
}

/** A file: what is in it, as far as that can be shown, and how to get it. @param {string} path As in an address. @param {AbortSignal} signal */
export function filePreview(path, signal) {
  const names = path.split("/").map(decodeURIComponent);
  const name = names[names.length - 1];
  const caption = h("small", {}, t("loading"));
  const content = h("div", { className: "preview" });
  contentOf(path, name, signal).then(([shown, said]) => {
    fill(content, shown);
    caption.textContent = said;
  }, (error) => {
    if (signal.aborted) return;
    caption.textContent = "";
    fill(content, h("p", { role: "alert" }, error.message));
  });
  return [
    h("header", { className: "bar" }, [
      h("h2", {}, h("bdi", {}, name)),
      caption,
      h("span", { className: "grow" }),
      h("a", { href: `/files/${path}`, target: "_blank" }, t("Open")),
      h(
        "a",
        { href: `/async_download?file=${encodeURIComponent(names.join("/"))}`, download: name },
        t("Download"),
      ),
    ]),
    content,
    h("p", { className: "caption" }, t("In a shell; the same line goes on after a cut:")),
    command(curl(path, name)),
  ];
}

/** What is shown of a file, and what is said of that. @param {string} path @param {string} name @param {AbortSignal} signal @returns {Promise<[HTMLElement, string]>} */
async function contentOf(path, name, signal) {
  const src = `/files/${path}`;
  const nothing = (/** @type {string} */ text) => h("p", { className: "empty" }, text);
  let response;
  try {
    response = await ask(src, { signal, headers: { Range: `bytes=0-${textBytes - 1}` } });
  } catch (error) {
    if (error instanceof Refused && error.status === 416) return [nothing(t("The file is empty.")), size(0)];
    throw error;
  }
  const all = Number(
    response.headers.get("content-range")?.split("/")[1] ?? response.headers.get("content-length"),
  );
  const type = (response.headers.get("content-type") ?? "").split(";")[0];
  const kind = type.split("/")[0];
  if (kind === "image" && all <= imageBytes) return [h("img", { src, alt: name }), size(all)];
  // Its response is in a sandbox of its own; within one of the frame Chromium shows no PDF.
  if (type === "application/pdf") return [h("iframe", { src, title: name }), size(all)];
  if (kind === "audio" || kind === "video") {
    return [h(kind, { src, controls: true, ariaLabel: name }), size(all)];
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.includes(0)) return [nothing(t("This is no text, image or PDF: nothing to show.")), size(all)];
  const text = new TextDecoder().decode(bytes, { stream: true });
  const said = all > bytes.length
    ? t("the first {shown} of {all}", { shown: size(bytes.length), all: size(all) })
    : size(all);
  return [h("pre", { className: "output", tabIndex: 0, ariaLabel: name }, text), said];
}
