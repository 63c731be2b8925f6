import { fill, h } from "./dom.js";
import { colour } from "./theme.js";
import { fullTime, quantity } from "./units.js";
import { t } from "./words.js";

/** What a tile's line shows, in s. */
export const sparkSeconds = 300;

/** A state's sign, its word and what it means. @param {string} state @returns {[string, string, string]} */
function stateOf(state) {
  if (state === "stale") return ["◔", t("stale"), "stale"];
  return ["✕", state === "timeout" ? t("timed out") : t("failed"), "failed"];
}

/**
 * A button that shows a sensor: its last value, its last minutes, their range, or what is wrong.
 *
 * @param {import("./readings.js").Readings} readings
 * @param {() => void} choose
 */
export function tile(readings, choose) {
  const value = h("b", { className: "value" });
  const canvas = h("canvas", { "aria-hidden": "true" });
  const note = h("span", { className: "caption" });
  const { id, description } = readings.latest;
  const element = h(
    "button",
    { className: "tile", title: description, onclick: choose },
    h("span", { className: "name" }, id),
    value,
    canvas,
    note,
  );

  function draw() {
    const { latest, times, values, end } = readings;
    const first = readings.since(sparkSeconds);
    let [min, max] = [Infinity, -Infinity];
    /** @type {number | null} */
    let last = null;
    for (let i = first; i < values.length; i++) {
      const each = values[i];
      if (each === null) continue;
      [min, max, last] = [Math.min(min, each), Math.max(max, each), each];
    }
    const isOk = latest.state === "ok";
    value.textContent = quantity(latest.value ?? (latest.state === "stale" ? last : null), latest.unit);
    element.title = [
      description,
      latest.time === null ? t("no reading yet") : fullTime(new Date(latest.time)),
    ].join(" · ");
    if (isOk) {
      delete note.dataset.kind;
      note.textContent = max < min ? "" : range(min, max, latest.unit);
    } else {
      const [sign, word, kind] = stateOf(latest.state);
      note.dataset.kind = kind;
      fill(
        note,
        h("span", { "aria-hidden": "true" }, `${sign} `),
        [word, latest.reason].filter(Boolean).join(": "),
      );
    }
    line(
      canvas,
      (time) => (time - end) / readings.spanOf(sparkSeconds) + 1,
      (each) => max > min ? (each - min) / (max - min) : 0.5,
      times,
      values,
      first,
    );
  }
  return { element, draw };
}

/** @param {number} min @param {number} max @param {string} unit */
function range(min, max, unit) {
  const [low, high] = [quantity(min, unit), quantity(max, unit)];
  if (low === high) return low;
  return unit.startsWith("B") ? `${low} – ${high}` : `${quantity(min)} – ${high}`;
}

/**
 * Draws a line of steps that has holes; `x` and `y` give places from 0 to 1.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {(time: number) => number} x
 * @param {(value: number) => number} y
 * @param {Float64Array} times
 * @param {(number | null)[]} values
 * @param {number} first
 */
function line(canvas, x, y, times, values, first) {
  const [width, height] = [canvas.width = 320, canvas.height = 64];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.strokeStyle = colour("--series-1");
  context.lineWidth = 2;
  context.beginPath();
  /** @type {number | null} */
  let before = null;
  for (let i = first; i < values.length; i++) {
    const value = values[i];
    if (value !== null) {
      const [left, top] = [x(times[i]) * width, height - 2 - y(value) * (height - 4)];
      if (before === null) context.moveTo(left, top);
      else context.lineTo(left, before);
      context.lineTo(left, top);
      before = top;
    } else before = null;
  }
  context.stroke();
}
