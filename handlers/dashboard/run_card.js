import { ask, may } from "./api.js";
import { command, confirmed, fill, h } from "./dom.js";
import { progress } from "./progress.js";
import { ago, count, fullTime } from "./units.js";
import { t } from "./words.js";

/** @typedef {import("./server.js").Listed} Listed */

/** A state's sign, what it means, and its word. @type {Record<string, () => [string, string, string]>} */
const states = {
  running: () => ["●", "live", t("running")],
  complete: () => ["✓", "quiet", t("complete")],
  failed: () => ["✕", "failed", t("failed")],
  cancelled: () => ["■", "stale", t("cancelled")],
  gone: () => ["◌", "stale", t("no longer kept by the server")],
};

/** A run: what it is, how it is, a bar a task, and what ends it. @param {Listed} run @param {boolean} [isBrief] */
export function runCard(run, isBrief = false) {
  const state = h("span", {});
  const facts = h("span", { className: "caption" });
  const problem = h("p", { role: "alert" });
  const cancel = h("button", { className: "quiet danger", onclick: end }, "");
  const bars = progress(run);
  const path = `${run.route}?run=${encodeURIComponent(run.name)}`;
  const element = h(
    "li",
    { className: "run" },
    h(
      "div",
      { className: "bar" },
      h("b", {}, run.name),
      state,
      facts,
      h("span", { className: "grow" }),
      !isBrief && cancel,
    ),
    bars.element,
    problem,
    !isBrief &&
      h(
        "details",
        {},
        h("summary", {}, t("Watch it with curl")),
        command(`curl -N '${location.origin}${path}'`),
      ),
  );

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

  /** @param {Listed} next */
  function change(next) {
    run = next;
    const [sign, kind, word] = states[run.state]();
    state.dataset.kind = kind;
    fill(state, h("span", { "aria-hidden": "true" }, sign), ` ${word}`);
    const started = new Date(run.started);
    facts.title = fullTime(started);
    facts.textContent = [
      run.route,
      t("started {time}", { time: ago(started) }),
      t("readers: {n}", { n: count(run.readers) }),
    ].join(" · ");
    cancel.textContent = run.state === "running" ? t("Cancel") : t("Forget");
    cancel.setAttribute("aria-label", `${cancel.textContent} ${run.name}`);
    cancel.hidden = run.state === "gone" || !may("admin");
    bars.change(run);
  }
  change(run);
  return {
    element,
    change,
    get run() {
      return run;
    },
    end: bars.end,
  };
}

/**
 * The runs of a list as cards, the newest first. One stays until the list is left, also where the server no longer has it.
 *
 * @param {HTMLElement} root
 * @param {boolean} isBrief
 * @param {number} most Cards at once.
 */
export function runCards(root, isBrief, most) {
  /** @type {Map<string, ReturnType<typeof runCard>>} */
  const cards = new Map();
  return {
    /** @param {Listed[]} runs */
    show(runs) {
      const newest = [...runs].sort((a, b) => b.started.localeCompare(a.started)).slice(0, most);
      for (const run of newest.reverse()) {
        const card = cards.get(run.name);
        if (card !== undefined && card.run.started === run.started) card.change(run);
        else {
          drop(run.name);
          const made = runCard(run, isBrief);
          cards.set(run.name, made);
          root.prepend(made.element);
        }
      }
      const names = new Set(newest.map(({ name }) => name));
      for (const [name, card] of cards) {
        if (names.has(name)) continue;
        if (isBrief || cards.size > most) drop(name);
        else card.change({ ...card.run, state: "gone" });
      }
    },
    end() {
      for (const { end } of cards.values()) end();
    },
  };

  /** @param {string} name */
  function drop(name) {
    cards.get(name)?.end();
    cards.get(name)?.element.remove();
    cards.delete(name);
  }
}
