import { colour } from "./theme.js";
import { quantity, timeOfDay } from "./units.js";

/** What uPlot's script has, and makes; its types are in its package. @typedef {any} Plot */

/** Its name is computed, as it is no file of this folder. */
const script = "./uplot.js";

/** Loads uPlot. @returns {Promise<Plot>} */
export const loadPlot = async () => (await import(script)).default;

/** A percentage is seen against all that there may be. @param {Plot} _plot @param {number} _min @param {number} max */
const percents = (_plot, _min, max) => [0, Math.max(100, max)];

/** @typedef {[from: number, to: number]} Range In s since 1970. */

/** How a plot is shown, and what is done when it is zoomed or its crosshair has moved. @typedef {{ unit: string, shown: () => Range, zoomTo: (range: Range | null) => void, tell: () => void }} Use */

/** A line of steps in the colours of now, without data. @param {Plot} uPlot @param {HTMLElement} root @param {Use} use */
export function plotIn(uPlot, root, { unit, shown, zoomTo, tell }) {
  const [font, stroke] = [`12px ${getComputedStyle(root).fontFamily}`, colour("--soft")];
  const grid = { stroke: colour("--line"), width: 1 };
  const lines = { font, stroke, grid, ticks: { ...grid, size: 4 } };
  const times = (/** @type {Plot} */ _, /** @type {number[]} */ values) =>
    values.map((s) => timeOfDay(s * 1_000));
  const sizes = (/** @type {Plot} */ _, /** @type {number[]} */ values) =>
    values.map((value) => quantity(value, unit));
  const [series, fill, paths] = [colour("--series-1"), colour("--wash"), uPlot.paths.stepped({ align: 1 })];
  function select(/** @type {Plot} */ plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    zoomTo([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
  }
  const plot = new uPlot(
    {
      width: root.clientWidth,
      height: root.clientHeight,
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 8, fill: series },
        bind: { dblclick: () => () => zoomTo(null) },
      },
      // Which part is shown is said with what there is.
      scales: { x: { auto: false }, y: unit === "%" ? { range: percents } : {} },
      axes: [{ ...lines, values: times, space: 90, size: 32 }, { ...lines, values: sizes, size: 76 }],
      series: [{}, { stroke: series, fill, width: 1.5, paths, points: { show: false } }],
      hooks: { setCursor: [tell], setSelect: [select] },
    },
    [[], []],
    root,
  );
  onFingers(plot.over, shown, zoomTo);
  return plot;
}

/** Pan with one finger, zoom with two: what is under each stays there. @param {HTMLElement} over @param {Use["shown"]} shown @param {Use["zoomTo"]} zoomTo */
function onFingers(over, shown, zoomTo) {
  /** Where each finger is. @type {Map<number, number>} */
  const fingers = new Map();
  const hand = () => {
    const [left, right] = [Math.min(...fingers.values()), Math.max(...fingers.values())];
    return { centre: (left + right) / 2, spread: Math.max(right - left, 24) };
  };
  over.style.touchAction = "pan-y";
  over.onpointerdown = ({ pointerType, pointerId, offsetX }) => {
    if (pointerType === "touch") fingers.set(pointerId, offsetX);
  };
  over.onpointermove = ({ pointerId, offsetX }) => {
    if (!fingers.has(pointerId)) return;
    const before = hand();
    fingers.set(pointerId, offsetX);
    const after = hand();
    const [from, to] = shown();
    const width = over.clientWidth;
    const at = from + (to - from) * before.centre / width;
    const seconds = (to - from) * before.spread / after.spread;
    zoomTo([at - seconds * after.centre / width, at + seconds * (1 - after.centre / width)]);
  };
  over.onpointerup = over.onpointercancel = ({ pointerId }) => void fingers.delete(pointerId);
}
