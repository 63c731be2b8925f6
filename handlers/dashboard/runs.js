import { may } from "./api.js";
import { empty, h, put } from "./dom.js";
import { runCards } from "./run_card.js";
import { runForm } from "./run_form.js";
import { listOf, onServer } from "./server.js";
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
  put(root, [
    may("publish")
      ? runForm()
      : h("p", { className: "caption" }, t("To start a run, a token needs the right publish.")),
    none,
    list,
    more,
  ]);
  const cards = runCards(list, false, most);
  const update = () => {
    const runs = listOf("runs");
    cards.show(runs);
    none.hidden = list.childElementCount > 0;
    more.textContent = runs.length > most ? t("and {n} older runs", { n: runs.length - most }) : "";
  };
  const off = onServer(update);
  // Times move on.
  const timer = setInterval(update, 1_000);
  return () => {
    clearInterval(timer);
    off();
    cards.end();
  };
}
