import { t } from "./words.js";

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {(Child | Child[])[]} Children */

/**
 * An element: properties by their names, others (`data-…`) as attributes.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [props]
 * @param {Children} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name in element) Object.assign(element, { [name]: value });
    else element.setAttribute(name, String(value));
  }
  put(element, children);
  return element;
}

/** What is there of children. @param {Children} children */
const present = (
  children,
) => /** @type {Node[]} */ (children.flat().filter((child) => (child ?? false) !== false));

/** Adds children, the absent ones left out. @param {Element} parent @param {Children} children */
export const put = (parent, children) => parent.append(...present(children));

/** Puts children in place of what is there. @param {Element} parent @param {Children} children */
export const fill = (parent, ...children) => parent.replaceChildren(...present(children));

/** Writes into a region that scrolls, which stays at its end if it was there. @param {Element} region @param {() => void} write */
export function atEnd(region, write) {
  const follows = region.scrollTop + region.clientHeight > region.scrollHeight - 8;
  write();
  if (follows) region.scrollTop = region.scrollHeight;
}

/** Puts these children in place of what is there; those that stay are not moved, and one of them keeps the focus. @param {Element} parent @param {Element[]} children */
export function arrange(parent, children) {
  for (const child of [...parent.children]) if (!children.includes(child)) child.remove();
  children.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
}

/** Calls `draw` once in the next frame, however often it is asked to, and then not for `restMs`. @param {() => void} draw */
export function oncePerFrame(draw, restMs = 0) {
  let [isAsked, last] = [false, -Infinity];
  const inFrame = () => {
    [isAsked, last] = [false, performance.now()];
    draw();
  };
  return () => {
    if (!isAsked) setTimeout(requestAnimationFrame, last + restMs - performance.now(), inFrame);
    isAsked = true;
  };
}

/** Does something again and again, until the signal. @param {() => unknown} act @param {number} ms @param {AbortSignal} signal */
export function every(act, ms, signal) {
  const timer = setInterval(act, ms);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Of one class: a row of things, a column of them, and two columns that are one on a phone. @param {string} className */
const box = (className) => (/** @type {Children} */ ...children) => h("div", { className }, ...children);
export const [bar, panel, split] = ["bar", "panel", "split"].map(box);

/** A button that does something. @param {string} text @param {() => unknown} onclick @param {Record<string, unknown>} [props] */
export const button = (text, onclick, props) => h("button", { type: "button", onclick, ...props }, text);

/** A button of less weight. @param {string} text @param {() => unknown} onclick @param {Record<string, unknown>} [props] */
export const quiet = (text, onclick, props) => button(text, onclick, { className: "quiet", ...props });

/** A choice. @param {string[][]} options Value and text. @param {Record<string, unknown>} props */
export const choice = (options, props) =>
  h("select", props, options.map(([value, text = value]) => h("option", { value }, text)));

/** A box to tick, and its label. @param {string} text @param {boolean} checked @param {() => void} [onchange] */
export function tick(text, checked, onchange) {
  const box = h("input", { type: "checkbox", checked, onchange });
  return { box, label: h("label", {}, box, " ", text) };
}

/** What went wrong, which a screen reader speaks. @param {{ message: string }} error */
export const alert = ({ message }) => h("p", { role: "alert" }, message);

/** Asks in a dialog; resolves to whether `action` was chosen. @param {string} question @param {string} action What its button says. */
export async function confirmed(question, action) {
  const no = h("button", { value: "no" }, t("Cancel"));
  const yes = h("button", { value: "yes", className: "danger" }, action);
  return await show(h("p", {}, question), h("p", { className: "actions" }, no, yes)) === "yes";
}

/** Shows a dialog, whose buttons close it; resolves to the value of the one that did. @param {Child[]} content @returns {Promise<string>} */
export function show(...content) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("dialog"));
  fill(dialog, h("form", { method: "dialog" }, content));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.onclose = () => resolve(dialog.returnValue));
}

/** A line of shell: a click, or the keyboard's, selects all of it, as nothing can be copied without TLS. @param {string} text */
export function command(text) {
  const line = h("code", { className: "command", tabIndex: 0, title: t("Select it to copy") }, text);
  line.onfocus = () => getSelection()?.selectAllChildren(line);
  return line;
}

/** What a view says where there is nothing: what would be here, and the line that makes it so. @param {string} text @param {string} [line] */
export const empty = (text, line) =>
  h("div", { className: "empty" }, h("p", {}, text), line !== undefined && command(line));

/** What stands in an address: decoded, unless it is no code. @param {string} text */
export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Links to other places of a view go there without drawing all of it anew. @param {HTMLElement} root @param {string} view As in `#view/`. @param {(place: string) => unknown} open */
export function placesOf(root, view, open) {
  root.onclick = (event) => {
    const link = /** @type {Element} */ (event.target).closest(`a[href^="#${view}/"]`);
    if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", link.hash);
    open(link.hash.slice(view.length + 2));
  };
}
