import { h } from "./dom.js";
import { colour } from "./theme.js";
import { quantity, timeOfDay } from "./units.js";

/** What this file uses of uPlot, which the server has from its package. @typedef {any} Plot */

/** @type {Promise<Plot> | undefined} */
let loading;

/** Loads uPlot, and its style. */
export const loadPlot = () => loading ??= load();

async function load() {
  const style = h("link", { rel: "stylesheet", href: "/dashboard/uplot.css" });
  const styled = new Promise((resolve) => style.onload = style.onerror = resolve);
  document.head.append(style);
  // Computed, as it is no file of this folder.
  const script = "./uplot.js";
  const [plot] = await Promise.all([import(script), styled]);
  return plot.default;
}

/**
 * A line of steps in the colours of now.
 *
 * @param {Plot} uPlot
 * @param {HTMLElement} root
 * @param {{ unit: string, crosshair: () => void, zoom: (from: number, to: number) => void, whole: () => void }} options
 */
export function plotIn(uPlot, root, { unit, crosshair, zoom, whole }) {
  const soft = colour("--soft");
  const [font, grid] = [`12px ${getComputedStyle(root).fontFamily}`, { stroke: colour("--line"), width: 1 }];
  const axis = { stroke: soft, font, grid, ticks: { ...grid, size: 4 } };
  return new uPlot(
    {
      width: root.clientWidth,
      height: root.clientHeight,
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 8, fill: colour("--series-1") },
        bind: { dblclick: () => whole },
      },
      // Which part is shown is said whenever there is something new.
      scales: { x: { auto: false } },
      axes: [
        {
          ...axis,
          space: 90,
          values: (/** @type {Plot} */ _, /** @type {number[]} */ at) =>
            at.map((s) => timeOfDay(new Date(s * 1_000))),
        },
        {
          ...axis,
          size: 76,
          values: (/** @type {Plot} */ _, /** @type {number[]} */ at) =>
            at.map((value) => quantity(value, unit)),
        },
      ],
      series: [{}, {
        stroke: colour("--series-1"),
        width: 1.5,
        fill: colour("--wash"),
        paths: uPlot.paths.stepped({ align: 1 }),
        points: { show: false },
      }],
      hooks: {
        setCursor: [crosshair],
        setSelect: [(/** @type {Plot} */ plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          zoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
        }],
      },
    },
    [[], []],
    root,
  );
}

/**
 * Pan with one finger, zoom with two: what is under each stays there.
 *
 * @param {HTMLElement} over
 * @param {() => [from: number, to: number]} shown
 * @param {(from: number, to: number) => void} show
 */
export function onFingers(over, shown, show) {
  /** Where each finger is. @type {Map<number, number>} */
  const fingers = new Map();
  const hand = () => {
    const xs = [...fingers.values()];
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    return { centre: (left + right) / 2, spread: Math.max(right - left, 24) };
  };
  over.style.touchAction = "pan-y";
  over.addEventListener("pointerdown", ({ pointerType, pointerId, offsetX }) => {
    if (pointerType === "touch") fingers.set(pointerId, offsetX);
  });
  over.addEventListener("pointermove", ({ pointerId, offsetX }) => {
    if (!fingers.has(pointerId)) return;
    const before = hand();
    fingers.set(pointerId, offsetX);
    const after = hand();
    const [from, to] = shown();
    const { clientWidth: width } = over;
    const at = from + (to - from) * before.centre / width;
    const seconds = (to - from) * before.spread / after.spread;
    show(at - seconds * after.centre / width, at + seconds * (1 - after.centre / width));
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
    over.addEventListener(end, ({ pointerId }) => void fingers.delete(pointerId));
  }
}
