import { h, oncePerFrame } from "./dom.js";
import { loadPlot, onFingers, plotIn } from "./plot.js";
import { onTheme } from "./theme.js";
import { quantity, span, timeOfDay } from "./units.js";
import { t } from "./words.js";

/** What can be chosen to be shown, in s. */
const spans = [300, 900, 3_600];
/** The least that is shown, in s. */
const least = 5;

/** @typedef {import("./readings.js").Readings} Readings */

/**
 * The large chart of one sensor: its newest part, or the one that was zoomed to; a crosshair by pointer, finger and keyboard.
 *
 * @param {HTMLElement} root
 */
export async function chart(root) {
  const title = h("h2", {});
  const readout = h("output", { className: "readout" });
  const area = h("div", {
    className: "plot",
    tabindex: "0",
    role: "slider",
    "aria-label": t("Readings, one by one"),
  });
  const whole = h(
    "button",
    { className: "quiet", hidden: true, onclick: () => zoomTo(null) },
    t("Back to now"),
  );
  const buttons = spans.map((seconds) =>
    h("button", { className: "quiet", onclick: () => choose(seconds) }, span(seconds * 1_000))
  );
  root.append(
    h("div", { className: "bar" }, title, readout, h("span", { className: "grow" }), whole, buttons),
    area,
  );
  const uPlot = await loadPlot();

  /** @type {Readings | null} */
  let readings = null;
  let seconds = spans[0];
  /** What was zoomed to, in s since 1970. @type {[number, number] | null} */
  let zoomed = null;
  /** Where the keyboard has put the crosshair, in s since 1970: there it stays. @type {number | null} */
  let at = null;
  /** @type {any} */
  let plot;

  /** @returns {[number, number]} */
  const shown = () =>
    zoomed ?? (readings === null ? [0, 1] : [readings.end - readings.spanOf(seconds), readings.end]);

  /** @param {[number, number] | null} range */
  function zoomTo(range) {
    if (range !== null) {
      const [first, end] = [readings?.times[0] ?? 0, readings?.end ?? 1];
      const length = Math.max(least, Math.min(range[1] - range[0], end - first));
      const from = Math.max(first, Math.min(range[0], end - length));
      range = [from, from + length];
    }
    zoomed = range;
    whole.hidden = range === null;
    draw();
  }

  /** @param {number} next */
  function choose(next) {
    seconds = next;
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(spans[i] === next)));
    zoomTo(null);
  }

  const draw = oncePerFrame(() => {
    if (readings === null || readings.length === 0) return tell();
    const { times, values, length } = readings;
    const [min, max] = shown();
    plot.batch(() => {
      plot.setData([times.subarray(0, length), values], false);
      plot.setScale("x", { min, max });
    });
    if (at !== null) plot.setCursor({ left: plot.valToPos(at, "x"), top: 0 }, false);
    tell();
  });

  /** Of the reading at the crosshair, else of the last. */
  function index() {
    const last = /** @type {Readings} */ (readings).length - 1;
    if (at !== null) return plot.valToIdx(at);
    return plot.cursor.left >= 0 ? plot.cursor.idx ?? last : last;
  }

  function tell() {
    if (readings === null) return;
    const { latest, values, times, length } = readings;
    const i = index();
    const value = quantity(values[i] ?? null, latest.unit);
    readout.textContent = length === 0
      ? t("no reading yet")
      : `${value} · ${timeOfDay(new Date(times[i] * 1_000))}`;
    area.setAttribute("aria-valuemin", "0");
    area.setAttribute("aria-valuemax", String(Math.max(0, length - 1)));
    area.setAttribute("aria-valuenow", String(Math.max(0, i)));
    area.setAttribute("aria-valuetext", /** @type {string} */ (readout.textContent));
  }

  function make() {
    plot?.destroy();
    plot = plotIn(uPlot, area, {
      unit: readings?.latest.unit ?? "",
      crosshair: tell,
      zoom: (from, to) => zoomTo([from, to]),
      whole: () => zoomTo(null),
    });
    plot.over.addEventListener("mousemove", () => at = null);
    onFingers(plot.over, shown, (from, to) => zoomTo([from, to]));
    draw();
  }

  area.onkeydown = (event) => {
    if (readings === null || readings.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const [from, to] = shown();
    const { times, length } = readings;
    const i = index();
    const by = event.shiftKey ? 10 : 1;
    const next =
      { ArrowLeft: i - by, ArrowRight: i + by, Home: plot.valToIdx(from), End: length - 1 }[event.key];
    const factor = { "+": 0.5, "-": 2 }[event.key];
    if (next !== undefined) at = times[Math.max(0, Math.min(next, length - 1))];
    else if (factor !== undefined) {
      const centre = at ?? to;
      zoomTo([centre - (centre - from) * factor, centre + (to - centre) * factor]);
    } else if (event.key === "Escape") {
      at = null;
      plot.setCursor({ left: -10, top: -10 }, false);
      zoomTo(null);
    } else return;
    event.preventDefault();
    draw();
  };
  const sized = new ResizeObserver(() =>
    plot?.setSize({ width: area.clientWidth, height: area.clientHeight })
  );
  const offTheme = onTheme(make);
  choose(seconds);

  return {
    draw,
    /** Shows another sensor. @param {Readings} next */
    show(next) {
      readings = next;
      at = null;
      zoomed = null;
      whole.hidden = true;
      title.textContent = next.latest.id;
      title.title = next.latest.description;
      make();
      sized.observe(area);
    },
    end() {
      offTheme();
      sized.disconnect();
      plot?.destroy();
    },
  };
}
