import { h } from "./dom.js";
import { rowOf } from "./log_line.js";

/** @typedef {import("./log_line.js").Item} Item */

/** Rows leave so many at a time: a busy log does not move what is shown with each line. */
const leaving = 200;

/** Rows in a box that scrolls. Each is shown while `isWanted` says so. */
export class LogRows {
  /** @type {Item[]} */
  items = [];
  #list = h("div");

  /** @param {string} label @param {boolean} isNamed Whether rows say their log. @param {(item: Item) => boolean} isWanted */
  constructor(label, isNamed, isWanted) {
    this.isNamed = isNamed;
    this.isWanted = isWanted;
    this.box = h("div", { className: "lines", role: "region", ariaLabel: label, tabIndex: 0 }, this.#list);
    this.box.onkeydown = (event) => this.#key(event);
  }

  /** Whether the end is in sight. */
  get isAtEnd() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 8;
  }

  /** Adds rows at the end; at most `max` stay. @param {Item[]} items @param {number} max */
  append(items, max) {
    const over = this.items.length + items.length - max;
    if (over > 0) {
      for (const { row } of this.items.splice(0, Math.ceil(over / leaving) * leaving)) row?.remove();
    }
    this.#list.append(this.#made(items, this.items.at(-1)));
    this.items.push(...items);
  }

  /** Shows these in place of what is there; those that stay are one after the other. @param {Item[]} items */
  fill(items) {
    const staying = new Set(items);
    for (const item of this.items) if (!staying.has(item)) item.row?.remove();
    const at = Math.max(0, items.findIndex(({ row }) => row?.isConnected));
    this.#list.prepend(this.#made(items.slice(0, at), undefined));
    this.#list.append(this.#made(items.slice(at), undefined));
    this.items = items;
  }

  /** The rows of those that have none. @param {Item[]} items @param {Item | undefined} previous */
  #made(items, previous) {
    const rows = document.createDocumentFragment();
    for (const item of items) {
      if (!item.row?.isConnected) {
        item.row = rowOf(item, previous, this.isNamed);
        item.row.hidden = !this.isWanted(item);
        rows.append(item.row);
      }
      previous = item;
    }
    return rows;
  }

  /** @param {Item} item */
  remove(item) {
    this.items = this.items.filter((other) => other !== item);
    item.row?.remove();
  }

  /** Shows those that are wanted now. */
  filter() {
    for (const item of this.items) if (item.row) item.row.hidden = !this.isWanted(item);
  }

  /** Marks the line that ends at a cursor. @param {string} cursor */
  mark(cursor) {
    this.#list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const row = this.items.find((item) => item.cursor === cursor)?.row;
    row?.setAttribute("aria-current", "true");
    row?.querySelector("a")?.focus({ preventScroll: true });
    return row;
  }

  /** Arrows go from line to line: with Tab there would be thousands. @param {KeyboardEvent} event */
  #key(event) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    /** @type {NodeListOf<HTMLElement>} */
    const found = this.#list.querySelectorAll(":scope > :not([hidden]) > [tabindex]");
    const stops = [...found];
    const at = stops.findIndex((stop) => stop === document.activeElement);
    (at < 0 ? stops.at(-1) : stops[at + step])?.focus();
    event.preventDefault();
  }
}
