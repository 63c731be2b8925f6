import { fill, h, oncePerFrame } from "./dom.js";
import { size, span } from "./units.js";
import { t } from "./words.js";

/** Bytes of an answer that are read. */
const most = 65_536;

/** What asks, shows the answer as it comes, and stops it: by its button, or once `signal` aborts. @param {AbortSignal} signal */
export function tryIt(signal) {
  const button = h("button", { className: "primary" }, t("Try it"));
  const status = h("p", { role: "status" });
  const headers = h("dl");
  const more = h("details", { className: "headers" }, h("summary", {}, t("Headers")), headers);
  const label = t("Body of the answer");
  const body = h("pre", { className: "output", tabindex: "0", role: "region", "aria-label": label });
  const element = h("div", { className: "panel", hidden: true }, status, more, body);
  /** @type {AbortController | null} */
  let running = null;
  signal.addEventListener("abort", () => running?.abort());

  /** Stops what is under way, else asks. @param {import("./route_form.js").Asked} asked */
  async function run({ method, target, type: sent, body: posted }) {
    if (running !== null) return running.abort();
    const mine = running = new AbortController();
    const start = performance.now();
    let [head, end, text, bytes] = ["", "", "", 0];
    const draw = oncePerFrame(() => {
      // A live answer is followed to its end, unless somebody has scrolled up.
      const ms = performance.now() - start;
      const follows = ms > 500 && body.scrollTop + body.clientHeight > body.scrollHeight - 8;
      body.append(text);
      text = "";
      if (follows) body.scrollTop = body.scrollHeight;
      const parts = [head, bytes > 0 && size(bytes), ms >= 1_000 && span(ms), end];
      status.textContent = parts.filter(Boolean).join(" · ");
    });
    button.textContent = t("Stop");
    element.hidden = false;
    more.hidden = body.hidden = true;
    fill(body);
    status.dataset.kind = "";
    head = t("waiting");
    draw();
    try {
      const headersSent = sent === undefined ? undefined : { "Content-Type": sent };
      const init = { method, headers: headersSent, body: posted, signal: mine.signal };
      const response = await fetch(target, { ...init, cache: "no-store" });
      const ms = t("headers after {n} ms", { n: Math.round(performance.now() - start) });
      const path = response.url.replace(location.origin, "");
      const url = response.redirected && t("redirected to {path}", { path });
      head = [`${response.status} ${response.statusText}`, url, ms].filter(Boolean).join(" · ");
      status.dataset.kind = response.ok ? "" : "failed";
      fill(headers, ...[...response.headers].map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
      more.hidden = false;
      const type = response.headers.get("content-type") ?? "";
      const isText = /^text\/|json|xml|javascript/.test(type);
      body.hidden = response.body === null;
      if (!isText) text = t("This is no text: {type}", { type });
      const decoder = new TextDecoder();
      const reader = response.body?.getReader();
      for (let read; bytes < most && reader !== undefined && !(read = await reader.read()).done; draw()) {
        const part = read.value.subarray(0, most - bytes);
        bytes += part.length;
        if (isText) text += decoder.decode(part, { stream: true });
      }
      end = bytes < most ? t("complete") : t("stopped at 64 KiB: the curl line gets all of it");
      if (bytes < most && type.startsWith("application/json")) {
        text = pretty(body.textContent + text);
        fill(body);
      }
    } catch {
      const cut = head === t("waiting")
        ? t("the server cannot be reached")
        : t("cut: this is not the whole body");
      end = mine.signal.aborted ? t("stopped") : cut;
      if (end === cut) status.dataset.kind = "failed";
    }
    mine.abort();
    running = null;
    button.textContent = t("Try it");
    draw();
  }
  return { button, element, run, isRunning: () => running !== null };
}

/** JSON with a line for each value; values stay as they were written. @param {string} json */
function pretty(json) {
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  return json.replace(/"(?:\\.|[^"\\])*"|\{\s*\}|\[\s*\]|[{}[\],:]/g, (word) => {
    if (word === "{" || word === "[") return depth++, word + line();
    if (word === "}" || word === "]") return depth--, line() + word;
    return word === "," ? word + line() : word === ":" ? ": " : word;
  });
}
