import { h, show, tick } from "./dom.js";
import { t } from "./words.js";

/** What single keys do, and can be switched off by (WCAG 2.1.4). @type {Map<string, { text: string, act: () => void }>} */
const keys = new Map();

const isOn = () => localStorage.getItem("keys") !== "off";

/** A single key, until the signal. @param {string} key @param {string} text What it does. @param {AbortSignal | null} signal @param {() => void} act */
export function onKey(key, text, signal, act) {
  keys.set(key, { text, act });
  signal?.addEventListener("abort", () => keys.delete(key));
}

/** Shows the list of keys, with the switch. */
export function showKeys() {
  const flip = () => localStorage.setItem("keys", isOn() ? "off" : "on");
  const { label } = tick(t("single keys do this"), isOn(), flip);
  const rows = [...keys].map(([key, { text }]) =>
    h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, key === " " ? t("space") : key)), h("td", {}, text))
  );
  return show(
    h("h2", {}, t("Keys")),
    h("table", { className: "keys" }, rows),
    h("p", {}, label),
    h("p", { className: "actions" }, h("button", {}, t("Close"))),
  );
}

/** Begins to listen. */
export function listenToKeys() {
  onKey("?", t("this list"), null, showKeys);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    if (!(target instanceof Element) || target.closest("input, select, textarea, dialog")) return;
    // Space on a button, a link or a summary is theirs.
    if (event.key === " " && target.closest("button, a, summary, [tabindex='0']")) return;
    const key = keys.get(event.key);
    if (key === undefined || !isOn()) return;
    event.preventDefault();
    key.act();
  });
}
