import { h, oncePerFrame } from "./dom.js";
import { watch } from "./feed.js";
import { rowOf } from "./log_line.js";
import { itemOf, linesOf, targetOf } from "./log_lines.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** @typedef {import("./log_line.js").Item} Item */
/** @typedef {{ grep?: string, not?: string, icase?: boolean }} Search */

/** Lines that are asked for at once, rows that are made in a frame, and rows that leave together. */
const [page, atOnce, leaving] = [500, 300, 200];

/**
 * One log, or several merged: what there is by a finite request, then watched from its cursors on.
 *
 * @param {string[]} names
 * @param {string} at The cursor of a line to begin at.
 * @param {number} max Rows.
 * @param {(item: Item) => boolean} isWanted
 * @param {() => Search} asked What is searched in the page.
 */
export function logPane(names, at, max, isWanted, asked) {
  /** @type {Item[]} */
  let items = [];
  /** What has come since it is paused, or in this frame: the newest of it, and how many in all. @type {Item[]} */
  let waiting = [];
  let fresh = 0;
  /** What the rows were searched by; null: they are all lines. @type {Search | null} */
  let search = null;
  /** `isLive`: nothing is missing between the last row and what is watched; `isFirst`: before the first row there is nothing. */
  let [isFollowing, isLive, isFirst, fault, lastTop] = [true, false, false, "", 0];
  /** @type {(() => void)[]} */
  let ends = [];
  let stop = new AbortController();
  const draw = oncePerFrame(drawNow);

  const label = names.join(", ");
  const button = (/** @type {string} */ text, /** @type {() => unknown} */ onclick, className = "quiet") =>
    h("button", { className, onclick }, text);
  const list = h("div");
  const told = h("small");
  const follows = button(t("Follow"), () => isFollowing ? pause() : follow(), "");
  const earlier = button(t("Earlier lines"), () => more(true));
  const later = button(t("Later lines"), () => more(false));
  const download = h("a", { href: "", download: names.length > 1 ? "logs.txt" : label }, t("Download"));
  download.onclick = () => {
    const lines = items.filter(({ row }) => row?.hidden === false).length || 1;
    const before = isLive || names.length > 1 ? undefined : end(label);
    download.href = targetOf(names, { ...asked(), before, lines, follow: false, format: "text" });
  };
  const props = {
    className: "lines",
    role: "region",
    ariaLabel: t("Lines of {name}", { name: label }),
    tabIndex: 0,
  };
  const box = h(
    "div",
    { ...props, onscroll: scrolled, onclick: chosen, onkeydown: keyed },
    earlier,
    list,
    later,
  );
  const tools = [download, button(t("Begin"), begin), follows];
  const head = h(
    "header",
    { className: "bar" },
    h("h2", {}, h("bdi", {}, label)),
    told,
    h("span", { className: "grow" }),
    tools,
  );
  const element = h("section", { className: "pane", ariaLabel: label }, head, box);

  /** The cursor after the last row of a log. @param {string} name */
  const end = (name) => items.findLast((item) => item.name === name && item.cursor !== undefined)?.cursor;

  function close() {
    stop.abort();
    for (const end of ends.splice(0)) end();
  }

  function pause() {
    isFollowing = false;
    tell();
  }

  /** Shows the last lines, and each new one. */
  function follow() {
    if (!isLive) return load([{ lines: page }], { follows: true });
    isFollowing = true;
    drawNow();
  }

  function begin() {
    return load([{ from: "start" }]);
  }

  /** Lines before or after those that are shown. @param {boolean} isEarlier */
  function more(isEarlier) {
    const after = { after: end(names[0]) };
    const first = items.find(({ cursor }) => cursor !== undefined);
    const rest = items.filter((item) => item !== first && item.kind !== "note");
    return isEarlier
      ? load([{ ...search, before: first?.cursor, lines: page }, rest, ...isLive ? [after] : []], {
        by: search,
        keep: rest[0],
      })
      : load([items, after], { keep: items.at(-1) });
  }

  /**
   * Shows lines in place of those that are there; parts are items, or what to ask for. Where they reach the log's end, it is watched.
   *
   * @param {(Item[] | Record<string, unknown>)[]} parts
   * @param {{ by?: Search | null, follows?: boolean, mark?: string, keep?: Item }} [how] `mark`: the line to go to; `keep`: the row that stays where it is.
   */
  async function load(parts, { by = null, follows = false, mark = "", keep } = {}) {
    close();
    const { signal } = stop = new AbortController();
    [isLive, search, isFollowing, waiting, fresh, fault] = [false, by, follows, [], 0, t("loading")];
    tell();
    try {
      const lists = await Promise.all(
        parts.map((part) =>
          Array.isArray(part)
            ? { items: part, isWhole: false }
            : linesOf(names, part, signal, "lines" in part ? Infinity : page)
        ),
      );
      const all = lists.flatMap(({ items }) => items);
      const top = keep?.row?.getBoundingClientRect().top ?? 0;
      fill(Array.isArray(parts[0]) ? all.slice(-max) : all.slice(0, max));
      isFirst = "from" in parts[0] || "lines" in parts[0] && lists[0].items.length < page;
      fault = "";
      if (by === null && lists.at(-1)?.isWhole && items.at(-1) === all.at(-1)) watchAll();
      // What it shows takes room.
      tell();
      if (mark !== "") markAt(mark)?.scrollIntoView({ block: "center" });
      else if (keep?.row) box.scrollTop += keep.row.getBoundingClientRect().top - top;
      else box.scrollTop = follows || by !== null ? box.scrollHeight : 0;
    } catch (error) {
      if (signal.aborted) return;
      const { status, message } = /** @type {import("./api.js").Refused} */ (error);
      fault = message;
      // It may come.
      if (status === 404) watchAll();
      tell();
    }
    lastTop = box.scrollTop;
  }

  function watchAll() {
    isLive = true;
    ends = names.map((name) => {
      const since = end(name);
      return watch(`log:${name}`, (heard) => hear(name, since, heard), since);
    });
  }

  /** @param {string} name @param {string | undefined} since @param {import("./feed.js").Heard[]} heard */
  function hear(name, since, heard) {
    for (const { event, data } of heard) {
      if (event !== "state") continue;
      fault = data.state === "absent" ? t("not there now, and waited for") : data.reason ?? "";
    }
    const lines = heard.filter(({ event }) => event !== "state").map((record) => itemOf(record, name));
    // Nothing said where to begin in a log without a line.
    if (since === undefined && lines.some(({ cursor }) => cursor !== undefined)) {
      return void load([{ lines: page }], { follows: true });
    }
    const added = lines.filter(({ kind }, i) => kind !== "unfinished" || i === lines.length - 1);
    const isOpen = (/** @type {Item} */ item) => item.kind === "unfinished" && item.name === name;
    if (added.length > 0) {
      for (const item of items.filter(isOpen)) item.row?.remove();
      items = items.filter((item) => !isOpen(item));
      waiting = [...waiting.filter((item) => !isOpen(item)), ...added].slice(-max);
      fresh += added.length;
    }
    draw();
  }

  function drawNow() {
    if (!isFollowing || !isLive) return tell();
    isFirst &&= items.length + fresh <= max;
    // Between what is shown and what waits some would be missing.
    if (fresh > waiting.length) fill([]);
    const added = waiting.splice(0, atOnce);
    const over = items.length + added.length - max;
    if (over > 0) {
      for (const { row } of items.splice(0, Math.ceil(over / leaving) * leaving)) {
        row?.remove();
      }
    }
    list.append(made(added, items.at(-1)));
    items.push(...added);
    fresh = waiting.length;
    tell();
    box.scrollTop = box.scrollHeight;
    lastTop = box.scrollTop;
    if (fresh > 0) draw();
  }

  /** Shows these in place of what is there; those that stay are one after the other. @param {Item[]} next */
  function fill(next) {
    const staying = new Set(next);
    for (const item of items) if (!staying.has(item)) item.row?.remove();
    const at = Math.max(0, next.findIndex(({ row }) => row?.isConnected));
    list.prepend(made(next.slice(0, at)));
    list.append(made(next.slice(at)));
    items = next;
  }

  /** The rows of those that have none. @param {Item[]} items @param {Item} [previous] */
  function made(items, previous) {
    const rows = document.createDocumentFragment();
    for (const item of items) {
      if (!item.row?.isConnected) {
        item.row = rowOf(item, previous, names.length > 1);
        item.row.hidden = !isWanted(item);
        rows.append(item.row);
      }
      previous = item;
    }
    return rows;
  }

  /** Says how it is. */
  function tell() {
    follows.ariaPressed = String(isFollowing);
    earlier.hidden = isFirst || items.length === 0 || names.length > 1;
    later.hidden = isLive || items.length === 0 || search !== null;
    const paused = fresh > 0
      ? t("paused, {n} new lines", { n: count(fresh) })
      : isLive
      ? t("paused")
      : t("not at the end");
    const found = items.filter(({ kind }) => kind === "line").length;
    told.textContent = fault ||
      (search !== null
        ? t("{n} lines found on the server", { n: count(found) })
        : isFollowing
        ? t("following")
        : paused);
  }

  /** Up pauses, the end resumes. */
  function scrolled() {
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 8;
    if (isLive && isFollowing && box.scrollTop < lastTop && !isAtEnd) pause();
    else if (isLive && !isFollowing && box.scrollTop > lastTop && isAtEnd) void follow();
    lastTop = box.scrollTop;
  }

  /** Marks the line that ends at a cursor. @param {string} cursor */
  function markAt(cursor) {
    list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const row = items.find((item) => item.cursor === cursor)?.row;
    row?.setAttribute("aria-current", "true");
    row?.querySelector("a")?.focus({ preventScroll: true });
    return row;
  }

  /** The link of a line that is shown among its neighbours only changes the address. @param {MouseEvent} event */
  function chosen(event) {
    const link = /** @type {Element} */ (event.target).closest("a.at");
    const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey);
    if (!(link instanceof HTMLAnchorElement) || !isPlain || search !== null || names.length > 1) return;
    event.preventDefault();
    history.replaceState(null, "", link.hash);
    pause();
    markAt(link.hash.split("/").at(-1) ?? "");
  }

  /** Arrows go from line to line: with Tab there would be thousands. @param {KeyboardEvent} event */
  function keyed(event) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    /** @type {HTMLElement[]} */
    const stops = Array.from(list.querySelectorAll(":scope > :not([hidden]) > [tabindex]"));
    const at = stops.findIndex((stop) => stop === document.activeElement);
    (at < 0 ? stops.at(-1) : stops[at + step])?.focus();
    event.preventDefault();
  }

  void (at === "" ? follow() : load([{ before: at, lines: page }, { after: at }], { mark: at }));
  return {
    element,
    close,
    pause,
    follow,
    begin,
    /** Asks the server for the last lines that match. @param {Search} by */
    search: (by) => load([{ ...by, lines: page }], { by }),
    /** Shows those that are wanted now; says how many, and of how many. */
    filter() {
      for (const item of items) if (item.row) item.row.hidden = !isWanted(item);
      return [items.filter(({ row }) => row?.hidden === false).length, items.length];
    },
    isFollowing: () => isFollowing,
  };
}
