import { fill, h, oncePerFrame } from "./dom.js";
import { Readings } from "./readings.js";
import { colour } from "./theme.js";
import { fullTime, quantity } from "./units.js";
import { t } from "./words.js";

/** What a tile's line shows, in s; ms for which it rests between two changes: a wall needs no more. */
export const [sparkSeconds, calmMs] = [300, 200];

/** A button with a sensor's last value, its last minutes, their range, or what is wrong. @param {import("./readings.js").Latest} sensor @param {() => void} choose */
export function tile(sensor, choose) {
  const readings = new Readings(sensor);
  const [name, value] = [h("span", { className: "name" }, sensor.id), h("b", { className: "value" })];
  const canvas = h("canvas", { width: 320, height: 64, "aria-hidden": "true" });
  const note = h("span", { className: "caption" });
  const element = h("button", { className: "tile", onclick: choose }, name, value, canvas, note);

  const draw = oncePerFrame(() => {
    const { latest: { time, state, unit, reason, ...latest }, values } = readings;
    const first = readings.since(sparkSeconds);
    const there = values.slice(first).filter((each) => each !== null);
    const [min, max] = [Math.min(...there), Math.max(...there)];
    value.textContent = quantity(latest.value ?? (state === "stale" ? there.at(-1) ?? null : null), unit);
    const when = time === null ? t("no reading yet") : fullTime(time);
    element.title = [sensor.description, when, reason].filter(Boolean).join(" · ");
    note.dataset.kind = state;
    if (state === "ok") note.textContent = there.length === 0 ? "" : range(min, max, unit);
    else {
      const word = { stale: t("stale"), timeout: t("timed out") }[state] ?? t("failed");
      const sign = h("span", { "aria-hidden": "true" }, state === "stale" ? "◔ " : "✕ ");
      fill(note, sign, [word, reason].filter(Boolean).join(": "));
    }
    line(canvas, readings, first, min, max);
  }, calmMs);
  return { readings, element, draw };
}

function range(/** @type {number} */ min, /** @type {number} */ max, /** @type {string} */ unit) {
  const [low, high] = [quantity(min, unit), quantity(max, unit)];
  if (low === high) return low;
  return unit.startsWith("B") ? `${low} – ${high}` : `${quantity(min)} – ${high}`;
}

/** Draws a line of steps that has holes; what moves by less than a 20th of the value stays near the middle. @param {HTMLCanvasElement} canvas @param {Readings} readings @param {number} first @param {number} min @param {number} max */
function line(canvas, readings, first, min, max) {
  const { width, height } = canvas;
  const { times, values, end } = readings;
  const seconds = end - times[first] || 1;
  const [middle, spread] = [(min + max) / 2, Math.max(max - min, Math.abs(max) / 20) || 1];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.clearRect(0, 0, width, height);
  context.strokeStyle = colour("--series-1");
  context.lineWidth = 2;
  context.beginPath();
  let before = /** @type {number | null} */ (null);
  for (let i = first; i < values.length; i++) {
    const value = values[i];
    if (value !== null) {
      const x = ((times[i] - end) / seconds + 1) * width;
      const y = height - 2 - ((value - middle) / spread + 0.5) * (height - 4);
      if (before === null) context.moveTo(x, y);
      else context.lineTo(x, before);
      context.lineTo(x, y);
      before = y;
    } else before = null;
  }
  context.stroke();
}
