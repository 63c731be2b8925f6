import { may } from "./api.js";
import { empty, h, put } from "./dom.js";
import { runCards } from "./run_card.js";
import { runForm } from "./run_form.js";
import { t } from "./words.js";

/** Runs that are shown, and watched: one stream has up to 32 sources. */
const most = 24;

/** @type {import("./main.js").View["mount"]} */
export function mount(root) {
  const list = h("ul", { className: "runs" });
  const more = h("p", { className: "caption" });
  const none = empty(
    t("No run yet. A run goes on without its readers; everybody who asks for it gets it from its start."),
    `curl -N '${location.origin}/stream?run=demo&count=30'`,
  );
  const denied = h("p", { className: "caption" }, t("To start a run, a token needs the right publish."));
  put(root, [may("publish") ? runForm() : denied, none, list, more]);
  return runCards(list, false, most, (shown, all) => {
    none.hidden = shown > 0;
    more.textContent = all > most ? t("and {n} older runs", { n: all - most }) : "";
  });
}
