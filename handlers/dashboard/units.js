import { now } from "./api.js";
import { language, t } from "./words.js";

const locale = language === "zh" ? "zh-CN" : "en-GB";
const three = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes for people, as `12.4 MB`. @param {number} bytes */
export function size(bytes) {
  let unit = 0;
  while (bytes >= 999.5 && unit < units.length - 1) [bytes, unit] = [bytes / 1_000, unit + 1];
  return `${three.format(bytes)} ${units[unit]}`;
}

/** A number with its unit; bytes for people. @param {number | null} value @param {string} [unit] */
export function quantity(value, unit = "") {
  if (value === null) return "–";
  if (unit === "B" || unit === "B/s") return size(value) + unit.slice(1);
  return `${Math.abs(value) >= 1_000 ? whole.format(value) : three.format(value)} ${unit}`.trimEnd();
}

/** A count. @param {number} n */
export const count = (n) => whole.format(n);

/** A time in full. @param {string | number} time */
export const fullTime = (time) => dateTime.format(new Date(time));

/** The time of day, with seconds. @param {string | number} time */
export const timeOfDay = (time) => clock.format(new Date(time));

/** A span, as `3 s`, `5 min`, `2 h`, `4 d`. @param {number} ms */
export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1_000));
  if (s < 100) return t("{n} s", { n: s });
  if (s < 3_600) return t("{n} min", { n: Math.round(s / 60) });
  return s < 172_800 ? t("{n} h", { n: Math.round(s / 3_600) }) : t("{n} d", { n: Math.round(s / 86_400) });
}

/** How long ago a time was. @param {string | number} time */
export const ago = (time) => t("{time} ago", { time: span(now() - new Date(time).getTime()) });

/** JSON over several lines; numbers stay as they are written, where the browser can do that. @param {string} json */
export const pretty = (json) => JSON.stringify(JSON.parse(json, exact), null, 2);

/** @param {string} _key @param {any} value @param {{ source?: string }} [context] */
const exact = (_key, value, context) =>
  typeof value === "number" && context?.source && "rawJSON" in JSON
    ? /** @type {any} */ (JSON).rawJSON(context.source)
    : value;
