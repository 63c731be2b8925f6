import { atEnd, fill, h, oncePerFrame } from "./dom.js";
import { pretty, size, span } from "./units.js";
import { t } from "./words.js";

/** Bytes of an answer that are read. */
const most = 65_536;

/** The link to the WebSocket tab, and where it leads for this path. */
export const socketTab = () => h("a", {}, t("Try it in the WebSocket tab"));
export const socketPlace = (/** @type {string} */ target) =>
  `#channels/ws${target === "/ws" ? "" : `?${target}`}`;

/** What asks, shows the answer as it comes, and stops it: by its button, or once `signal` aborts. @param {AbortSignal} signal */
export function tryIt(signal) {
  const button = h("button", { className: "primary" }, t("Try it"));
  const status = h("p", { role: "status" });
  const headers = h("dl");
  const more = h("details", { className: "headers" }, h("summary", {}, t("Headers")), headers);
  const shows = { role: "region", ariaLabel: t("Body of the answer") };
  const body = h("pre", { className: "output", tabIndex: 0, ...shows });
  const tab = socketTab();
  const element = h("div", { className: "panel", hidden: true }, status, tab, more, body);
  let running = /** @type {AbortController | null} */ (null);

  /** Stops what is under way, else asks. @param {import("./routes.js").Asked} asked */
  async function run({ method, target, type, body: posted }) {
    if (running !== null) return running.abort();
    running = new AbortController();
    const stopped = AbortSignal.any([signal, running.signal]);
    const start = performance.now();
    const passed = () => performance.now() - start;
    let [head, end, text, bytes] = [t("waiting"), "", "", 0];
    const draw = oncePerFrame(() => {
      // A live answer is followed to its end.
      atEnd(passed() > 500 ? body : h("i"), () => body.append(text));
      text = "";
      const parts = [head, bytes > 0 && size(bytes), passed() >= 1_000 && span(passed()), end];
      status.textContent = parts.filter(Boolean).join(" · ");
    });
    button.textContent = t("Stop");
    element.hidden = false;
    more.hidden = body.hidden = tab.hidden = true;
    tab.href = socketPlace(target);
    fill(body);
    status.dataset.kind = "";
    draw();
    try {
      const sent = type === undefined ? undefined : { "Content-Type": type };
      const init = { method, headers: sent, body: posted, signal: stopped };
      const response = await fetch(target, { ...init, cache: "no-store" });
      const url = response.redirected &&
        t("redirected to {path}", { path: response.url.replace(location.origin, "") });
      const ms = t("headers after {n} ms", { n: Math.round(passed()) });
      head = [`${response.status} ${response.statusText}`, url, ms].filter(Boolean).join(" · ");
      status.dataset.kind = response.ok ? "" : "failed";
      fill(headers, ...[...response.headers].map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
      more.hidden = false;
      tab.hidden = response.status !== 426;
      body.hidden = response.body === null;
      const kind = response.headers.get("content-type") ?? "";
      const isText = /^text\/|json|xml|javascript/.test(kind);
      if (!isText) text = t("This is no text: {type}", { type: kind });
      const decoder = new TextDecoder();
      const reader = response.body?.getReader();
      for (let read; bytes < most && reader !== undefined && !(read = await reader.read()).done; draw()) {
        const part = read.value.subarray(0, most - bytes);
        bytes += part.length;
        if (isText) text += decoder.decode(part, { stream: true });
      }
      end = bytes < most ? t("complete") : t("stopped at 64 KiB: the curl line gets all of it");
      if (bytes < most && kind.startsWith("application/json")) {
        text = pretty(body.textContent + text);
        fill(body);
      }
    } catch {
      // What is not JSON after all stays as it is.
      if (end === "" && !stopped.aborted) status.dataset.kind = "failed";
      end ||= stopped.aborted ? t("stopped") : t("the connection is cut");
    }
    running.abort();
    running = null;
    button.textContent = t("Try it");
    draw();
  }
  return { button, element, run, isRunning: () => running !== null };
}
