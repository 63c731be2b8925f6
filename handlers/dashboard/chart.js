import { curl } from "./api.js";
import { bar, choice, command, h, oncePerFrame, quiet } from "./dom.js";
import { loadPlot, plotIn } from "./plot.js";
import { onTheme } from "./theme.js";
import { quantity, span, timeOfDay } from "./units.js";
import { t } from "./words.js";

/** What can be chosen to be shown, and the least that is, in s. */
const [spans, least] = [[300, 900, 3_600], 5];

/** @typedef {import("./readings.js").Readings} Readings */

/** The large chart of one sensor: its newest part, or what was zoomed to; a crosshair by pointer and keyboard. @param {HTMLElement} root @param {AbortSignal} signal */
export function chart(root, signal) {
  const title = h("h2", {});
  const readout = h("output", {});
  const props = { className: "plot", tabIndex: 0, role: "slider", ariaValueNow: "0" };
  const area = h("div", { ...props, ariaLabel: t("Readings, one by one") });
  const whole = quiet(t("Back to now"), () => zoomTo(null));
  const options = spans.map((each) => [String(each), span(each * 1_000)]);
  const time = choice(options, { ariaLabel: t("Time shown"), onchange: () => zoomTo(null) });
  const grow = h("span", { className: "grow" });
  const line = command("");
  const same = h("details", {}, h("summary", { className: "caption" }, t("The same with curl")), line);
  root.append(bar(title, readout, grow, whole, time), area, same);

  let readings = /** @type {Readings | null} */ (null);
  /** What was zoomed to, in s since 1970. @type {[number, number] | null} */
  let zoomed = null;
  /** Where the keyboard has put the crosshair, in s since 1970: there it stays. @type {number | null} */
  let at = null;
  let [uPlot, plot] = /** @type {import("./plot.js").Plot[]} */ ([]);

  /** @param {Readings} of @returns {[number, number]} */
  const shown = (of) => zoomed ?? [of.end - of.spanOf(Number(time.value)), of.end];

  function zoomTo(/** @type {[number, number] | null} */ range) {
    if (range !== null && readings !== null) {
      const { times: [first], end } = readings;
      const length = Math.max(least, Math.min(range[1] - range[0], end - first));
      const from = Math.max(first, Math.min(range[0], end - length));
      range = [from, from + length];
    }
    zoomed = range;
    whole.hidden = range === null;
    draw();
  }

  const draw = oncePerFrame(() => {
    if (plot === undefined || readings === null || readings.values.length === 0) return;
    const { times, values } = readings;
    const [min, max] = shown(readings);
    plot.batch(() => {
      plot.setData([times.subarray(0, values.length), values], false);
      plot.setScale("x", { min, max });
    });
    if (at !== null) plot.setCursor({ left: plot.valToPos(at, "x"), top: 0 }, false);
    tell();
  });

  /** Of the reading at the crosshair, else of the last. */
  function index() {
    if (at !== null) return plot.valToIdx(at);
    const last = /** @type {Readings} */ (readings).values.length - 1;
    return plot.cursor.left >= 0 ? plot.cursor.idx ?? last : last;
  }

  function tell() {
    if (plot === undefined || readings === null || readings.values.length === 0) return;
    const { latest: { unit }, values, times } = readings;
    const i = index();
    const text = `${quantity(values[i], unit)} · ${timeOfDay(times[i] * 1_000)}`;
    readout.textContent = text;
    [area.ariaValueMin, area.ariaValueMax, area.ariaValueText] = ["0", String(values.length - 1), text];
    area.ariaValueNow = String(i);
  }

  function make() {
    if (uPlot === undefined || readings === null) return;
    const of = readings;
    plot?.destroy();
    plot = plotIn(uPlot, area, { unit: of.latest.unit, shown: () => shown(of), zoomTo, tell });
    plot.over.addEventListener("mousemove", () => at = null);
    sized.observe(area);
    draw();
  }

  area.onkeydown = (event) => {
    if (plot === undefined || readings === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const [from] = shown(readings);
    const { times, values: { length } } = readings;
    const i = index();
    const by = event.shiftKey ? 10 : 1;
    const places = { ArrowLeft: i - by, ArrowRight: i + by, Home: plot.valToIdx(from), End: length - 1 };
    const next = places[/** @type {keyof places} */ (event.key)];
    if (next !== undefined) at = times[Math.max(0, Math.min(next, length - 1))];
    else if (event.key === "Escape") {
      at = null;
      plot.setCursor({ left: -10, top: -10 }, false);
      zoomTo(null);
    } else return;
    event.preventDefault();
    draw();
  };
  const sized = new ResizeObserver(([{ contentRect: { width, height } }]) => plot.setSize({ width, height }));
  onTheme(make, signal);
  zoomTo(null);
  const load = () =>
    loadPlot().then((loaded) => {
      uPlot = loaded;
      make();
    }, () => readout.textContent = t("the chart could not be loaded"));
  void load();
  signal.addEventListener("abort", () => {
    sized.disconnect();
    plot?.destroy();
    readings = null;
  });
  return {
    draw,
    /** Shows another sensor. @param {Readings} next */
    show(next) {
      readings = next;
      at = null;
      title.textContent = next.latest.id;
      title.title = next.latest.description;
      line.textContent = curl(`/sensors/${encodeURIComponent(next.latest.id)}/history`);
      readout.textContent = t("no reading yet");
      zoomTo(null);
      void load();
    },
  };
}
