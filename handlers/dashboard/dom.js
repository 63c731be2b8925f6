import { t } from "./words.js";

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element: properties by their names, `data-…`, `aria-…` and `role` as attributes, `onNAME` as listeners.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [props]
 * @param {(Child | Child[])[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (name in element && name !== "list" && name !== "form") {
      /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (element))[name] = value;
    } else element.setAttribute(name, value === true ? "" : String(value));
  }
  put(element, children);
  return element;
}

/** Adds children, the absent ones left out. @param {Element} parent @param {(Child | Child[])[]} children */
export function put(parent, children) {
  for (const child of children.flat()) {
    if (child !== undefined && child !== null && child !== false) parent.append(/** @type {Node} */ (child));
  }
}

/** Puts children in place of what is there. @param {Element} parent @param {(Child | Child[])[]} children */
export function fill(parent, ...children) {
  parent.replaceChildren();
  put(parent, children);
}

/** Writes into a region that scrolls, which stays at its end if it was there. @param {Element} region @param {() => void} write */
export function atEnd(region, write) {
  const follows = region.scrollTop + region.clientHeight > region.scrollHeight - 8;
  write();
  if (follows) region.scrollTop = region.scrollHeight;
}

/** Puts these children in place of what is there; those that stay are not moved, and one of them keeps the focus. @param {Element} parent @param {Element[]} children */
export function arrange(parent, children) {
  const staying = new Set(children);
  for (const child of [...parent.children]) if (!staying.has(child)) child.remove();
  children.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
}

/** Calls `draw` once in the next frame, however often it is asked to, and then not for `restMs`. @param {() => void} draw */
export function oncePerFrame(draw, restMs = 0) {
  let asked = false;
  let last = -Infinity;
  const inFrame = () =>
    requestAnimationFrame(() => {
      asked = false;
      last = performance.now();
      draw();
    });
  return () => {
    if (asked) return;
    asked = true;
    const wait = last + restMs - performance.now();
    if (wait > 0) setTimeout(inFrame, wait);
    else inFrame();
  };
}

/**
 * Asks in a dialog, and gives the focus back; resolves to whether `action` was chosen.
 *
 * @param {string} question
 * @param {string} action What its button says.
 * @returns {Promise<boolean>}
 */
export function confirmed(question, action) {
  return show(
    h("p", {}, question),
    h("p", { className: "actions" }, [
      h("button", { value: "no" }, t("Cancel")),
      h("button", { value: "yes", className: "danger" }, action),
    ]),
  ).then((answer) => answer === "yes");
}

/** Shows a dialog, whose buttons close it; resolves to the value of the one that did. @param {Child[]} content */
export function show(...content) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("dialog"));
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  fill(dialog, h("form", { method: "dialog" }, content));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      before?.focus();
      resolve(dialog.returnValue);
    }, { once: true });
  });
}

/** A line of shell: a click, or the keyboard's, selects all of it, as nothing can be copied without TLS. @param {string} text */
export function command(text) {
  const line = h("code", { className: "command", tabindex: "0", title: t("Select it to copy") }, text);
  line.onfocus = () => getSelection()?.selectAllChildren(line);
  return line;
}

/** What a view says where there is nothing: what would be here, and the line that makes it so. @param {string} text @param {string} [line] */
export const empty = (text, line) =>
  h("div", { className: "empty" }, h("p", {}, text), line !== undefined && command(line));

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
