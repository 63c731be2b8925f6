import { getJson, now } from "./api.js";
import { h, oncePerFrame } from "./dom.js";
import { watch } from "./feed.js";
import { count, quantity, span } from "./units.js";
import { t } from "./words.js";

/** Tasks of one run that have a bar. */
const most = 20;

/** @typedef {import("./server.js").Listed} Listed */
/** How far a task is. @typedef {{ step: number, steps: number }} Task */

/**
 * Follows a run by its events: a bar a task, n of N, the rate and the time left.
 *
 * @param {Listed} run
 */
export function progress(run) {
  /** @type {Map<string, Task>} */
  const tasks = new Map();
  /** @type {Map<string, ReturnType<typeof bar>>} */
  const bars = new Map();
  let [events, text] = [0, ""];
  const more = h("p", { className: "caption" });
  const element = h("div", { className: "bars" }, more);

  const draw = oncePerFrame(() => {
    for (const [name, task] of tasks) {
      let row = bars.get(name);
      if (row === undefined && bars.size < most) {
        bars.set(name, row = bar(name));
        more.before(row.element);
      }
      row?.draw(task, run);
    }
    const hidden = tasks.size - bars.size;
    const words = events === 0 ? [t("no event yet")] : [t("{n} events", { n: count(events) }), text];
    if (hidden > 0) more.textContent = t("and {n} tasks more", { n: count(hidden) });
    else more.textContent = tasks.size > 0 ? "" : words.join(" · ");
  });

  /** What it was started with says what is still to come. */
  async function begin() {
    const { params } = await getJson(`/runs/${encodeURIComponent(run.name)}`);
    const { count: steps, task: all = [] } = params;
    if (steps !== undefined) tasks.set("", { step: 0, steps });
    for (const each of all) {
      const [, steps, ...name] = each.split(":").reverse();
      tasks.set(name.reverse().join(":"), { step: 0, steps: Number(steps) });
    }
  }

  const ended = new AbortController();
  begin().catch(() => {}).then(() => {
    if (ended.signal.aborted) return;
    draw();
    ended.signal.onabort = watch(`run:${run.name}`, (heard) => {
      for (const { event, data } of heard) {
        if (event === "gap" || event === "state") continue;
        events++;
        const whole = tasks.get("");
        if (data?.task !== undefined && data.steps > 0) tasks.set(data.task, data);
        else if (data?.step !== undefined && whole !== undefined) whole.step = data.step;
        else if (typeof data?.percent === "number") tasks.set("", { step: data.percent, steps: 100 });
        else text = typeof data === "string" ? data : JSON.stringify(data);
      }
      draw();
    });
  });
  return {
    element,
    /** It has another state. @param {Listed} next */
    change(next) {
      run = next;
      draw();
    },
    end: () => ended.abort(),
  };
}

/** One task's bar. @param {string} name */
function bar(name) {
  const meter = h("progress", { "aria-label": name || t("steps"), max: 1, value: 0 });
  const numbers = h("span", { className: "caption" });
  const title = name !== "" && h("span", { className: "name", title: name }, name);
  const element = h("div", { className: "task" }, title, meter, numbers);
  return {
    element,
    /** @param {Task} task @param {Listed} run */
    draw({ step, steps }, { state, started }) {
      meter.max = steps;
      meter.value = step;
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
