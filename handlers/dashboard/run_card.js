import { ask, curl, may } from "./api.js";
import { arrange, bar, button, command, confirmed, every, fill, h } from "./dom.js";
import { progress } from "./progress.js";
import { listOf, onServer } from "./server.js";
import { ago, count, fullTime } from "./units.js";
import { t } from "./words.js";

/** @typedef {import("./server.js").Listed} Listed */

/** A state's sign, what it means, and its word. @type {Record<string, () => [string, string, string]>} */
const states = {
  running: () => ["●", "live", t("running")],
  complete: () => ["✓", "quiet", t("complete")],
  failed: () => ["✕", "failed", t("failed")],
  cancelled: () => ["■", "stale", t("cancelled")],
  lost: () => ["✕", "failed", t("lost, as its process has gone")],
  gone: () => ["◌", "stale", t("no longer kept by the server")],
};

/** A run: what it is, how it is, a bar a task, and what ends it. @param {Listed} run @param {boolean} isBrief */
function runCard(run, isBrief) {
  const state = h("span", {});
  const facts = h("span", { className: "caption" });
  const problem = h("p", { role: "alert" });
  const cancel = button("", end, { className: "quiet danger" });
  const bars = progress(run);
  const path = `${run.route}?run=${encodeURIComponent(run.name)}`;
  const grow = h("span", { className: "grow" });
  const head = bar(h("b", {}, run.name), state, facts, grow, cancel);
  const watch = h("summary", {}, t("Watch it with curl"));
  const more = h("details", { hidden: isBrief }, watch, command(curl(path)));
  const element = h("li", { className: "run" }, head, bars.element, problem, more);

  async function end() {
    const isRunning = run.state === "running";
    const question = isRunning
      ? t("Cancel the run {name}? Its readers end, and what it has done so far stays.", { name: run.name })
      : t("Forget the run {name}? Its events are gone for everybody.", { name: run.name });
    if (!await confirmed(question, isRunning ? t("Cancel the run") : t("Forget"))) return;
    problem.textContent = "";
    await ask(`/runs/${encodeURIComponent(run.name)}`, { method: "DELETE" }).catch((error) =>
      problem.textContent = error.message
    );
  }

  function change(/** @type {Listed} */ next) {
    run = next;
    const [sign, kind, word] = states[run.state]();
    state.dataset.kind = kind;
    fill(state, h("span", { "aria-hidden": "true" }, sign), ` ${word}`);
    facts.title = fullTime(run.started);
    const times = t("started {time}", { time: ago(run.started) });
    facts.textContent = [run.route, times, t("readers: {n}", { n: count(run.readers) })].join(" · ");
    cancel.textContent = run.state === "running" ? t("Cancel") : t("Forget");
    cancel.ariaLabel = `${cancel.textContent} ${run.name}`;
    cancel.hidden = isBrief || run.state === "gone" || !may("admin");
    bars.change(run);
  }
  return { element, change, end: bars.end };
}

/** Those that go on before the others, then the newest. @param {Listed} a @param {Listed} b */
const order = (a, b) =>
  Number(b.state === "running") - Number(a.state === "running") || b.started.localeCompare(a.started);

/** The runs as cards, until the signal. A card stays until then, also where the server no longer has its run. @param {HTMLElement} root @param {boolean} isBrief Shows what there is now, without what ends it. @param {number} most Cards at once. @param {AbortSignal} signal @param {(shown: number, all: number) => void} changed */
export function runCards(root, isBrief, most, signal, changed) {
  /** By their names, with the runs that they are of. @type {Map<string, { run: Listed, card: ReturnType<typeof runCard> }>} */
  const cards = new Map();

  function show() {
    const all = listOf("runs");
    const now = all.sort(order).slice(0, most);
    /** @type {Listed[]} */
    const gone = isBrief ? [] : [...cards.values()].map(({ run }) => ({ ...run, state: "gone" }));
    const runs = [...now, ...gone.filter(({ name }) => !now.some((run) => run.name === name))].slice(0, most);
    for (const [name, { run, card }] of cards) {
      // Another run may have its name.
      if (runs.some((each) => each.name === name && each.started === run.started)) continue;
      card.end();
      cards.delete(name);
    }
    const shown = runs.map((run) => {
      const card = cards.get(run.name)?.card ?? runCard(run, isBrief);
      cards.set(run.name, { run, card });
      card.change(run);
      return card.element;
    });
    arrange(root, shown);
    changed(runs.length, all.length);
  }

  onServer(show, signal);
  // Times move on.
  every(show, 1_000, signal);
  signal.addEventListener("abort", () => cards.forEach(({ card }) => card.end()));
}
