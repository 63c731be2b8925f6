import { getJson, now } from "./api.js";
import { h, oncePerFrame } from "./dom.js";
import { watch } from "./feed.js";
import { count, quantity, span } from "./units.js";
import { t } from "./words.js";

/** Tasks of one run that have a bar, and characters of an event that are shown. */
const [most, longest] = [20, 200];

/** @typedef {import("./server.js").Listed} Listed */

/** Follows a run by its events: a bar a task, n of N, the rate and the time left. @param {Listed} run */
export function progress(run) {
  const tasks = /** @type {Map<string, ReturnType<typeof bar>>} */ (new Map());
  let [events, text] = [0, ""];
  const more = h("p", { className: "caption" });
  const element = h("div", { className: "bars" }, more);

  const draw = oncePerFrame(() => {
    for (const task of tasks.values()) task.draw(run);
    const had = events === 0
      ? t("no event yet")
      : t("events: {n}, the last one: {text}", { n: count(events), text });
    more.textContent = tasks.size === 0 ? had : "";
    if (tasks.size > most) more.textContent = t("and {n} tasks more", { n: count(tasks.size - most) });
  });

  /** @param {string} name @param {number} step @param {number} [steps] */
  function set(name, step, steps) {
    const task = tasks.get(name) ?? bar(name);
    if (!tasks.has(name) && tasks.size < most) more.before(task.element);
    tasks.set(name, Object.assign(task, { step, steps: steps ?? task.steps }));
  }

  function hear(/** @type {import("./feed.js").Heard[]} */ heard) {
    for (const { event, data } of heard) {
      if (event === "gap" || event === "state") continue;
      events++;
      if (data?.task !== undefined && data.steps > 0) set(data.task, data.step, data.steps);
      else if (data?.step !== undefined && tasks.has("")) set("", data.step);
      else if (typeof data?.percent === "number") set("", data.percent, 100);
      else text = (typeof data === "string" ? data : JSON.stringify(data)).slice(0, longest);
    }
    draw();
  }

  const ended = new AbortController();
  /** What it was started with says what is still to come. */
  async function follow() {
    const { params } = await getJson(`/runs/${encodeURIComponent(run.name)}`).catch(() => ({ params: {} }));
    if (params.count !== undefined) set("", 0, params.count);
    for (const task of params.task ?? []) {
      const [, steps, ...name] = task.split(":").reverse();
      set(name.reverse().join(":"), 0, Number(steps));
    }
    draw();
    watch(`run:${run.name}`, "", ended.signal, hear);
  }
  void follow();
  return {
    element,
    /** It has another state. @param {Listed} next */
    change: (next) => (run = next, draw()),
    end: () => ended.abort(),
  };
}

/** One task's bar. @param {string} name */
function bar(name) {
  const meter = h("progress", { "aria-label": name || t("steps") });
  const numbers = h("span", { className: "caption" });
  const title = name !== "" && h("span", { className: "name", title: name }, name);
  return {
    element: h("div", { className: "task" }, title, meter, numbers),
    step: 0,
    steps: 1,
    draw(/** @type {Listed} */ { state, started }) {
      const { step, steps } = this;
      Object.assign(meter, { max: steps, value: step });
      const words = [t("{n} of {all}", { n: count(step), all: count(steps) })];
      const rate = step * 1_000 / (now() - Date.parse(started));
      if (state === "running" && step < steps && rate > 0 && Number.isFinite(rate)) {
        words.push(rate >= 0.1 ? `${quantity(rate)}/s` : `${quantity(rate * 60)}/min`);
        words.push(t("{time} left", { time: span((steps - step) / rate * 1_000) }));
      }
      numbers.textContent = words.join(" · ");
    },
  };
}
