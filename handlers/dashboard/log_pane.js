import { getJson } from "./api.js";
import { bar, button, empty, fill, h, oncePerFrame, quiet } from "./dom.js";
import { watch } from "./feed.js";
import { byArrows, itemOf, linesOf, rowsOf, targetOf } from "./log_line.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** @typedef {import("./log_line.js").Item} Item */
/** @typedef {{ grep?: string, not?: string, icase?: boolean }} Search */
/** Lines that are asked for at once, rows that are made in a frame, rows that leave together, and ms between two frames that add some: others are for what the user does. */
const [page, atOnce, leaving, restMs] = [500, 300, 200, 100];

/** One log, or several merged: what there is by a finite request, then watched from its cursors on. @param {string[]} names @param {string} at The cursor of a line to begin at. @param {number} max Rows. @param {(item: Item) => boolean} isWanted @param {() => Search} asked What is searched in the page. */
export function logPane(names, at, max, isWanted, asked) {
  /** `waiting`: the newest of what has come since it is paused, or in this frame. @type {Item[][]} */
  let [items, waiting] = [[], []];
  /** What the rows were found by; null: they are all lines. @type {Search | null} */
  let search = null;
  /** `isLive`: what comes next is watched; `isCut`: some of what waited is gone; `isFirst`: nothing is before the first row. */
  let [isFollowing, isLive, isCut, isFirst, fault, lastTop] = [true, false, false, false, "", 0];
  let stop = new AbortController();
  const draw = oncePerFrame(drawNow, restMs);

  const isOne = names.length === 1;
  const label = names.join(", ");
  const [list, told] = [h("div"), h("small")];
  const follows = button(t("Follow"), () => isFollowing && isLive ? pause() : follow());
  const [earlier, later] = [quiet(t("Earlier lines"), before), quiet(t("Later lines"), () => after())];
  const download = h("a", { href: "", download: isOne ? label : "logs.txt" }, t("Download"));
  download.onclick = () => {
    const lines = items.filter(({ row }) => row?.hidden === false).length || 1;
    const query = { ...asked(), before: isLive || !isOne ? undefined : end(label), lines };
    download.href = targetOf(names, { ...query, follow: false, format: "text" });
  };
  const none = empty(t("There is no line yet. One that is written shows at once."));
  const props = { className: "lines", role: "region", ariaLabel: t("Lines of {name}", { name: label }) };
  const hears = { tabIndex: 0, onscroll: scrolled, onkeydown: byArrows };
  const box = h("div", { ...props, ...hears }, [none, earlier, list, later]);
  const tools = [download, quiet(t("First lines"), () => begin()), follows];
  const head = bar(h("h2", {}, h("bdi", {}, label)), told, tools);
  const element = h("section", { className: "pane", ariaLabel: label }, head, box);

  /** The cursor after the last row of a log. @param {string} name */
  const end = (name) => items.findLast((item) => item.name === name && item.cursor !== undefined)?.cursor;

  const pause = () => (isFollowing = false, tell());

  /** Shows the last lines, and each new one. */
  function follow() {
    if (!isLive) return load([{ lines: page }], { follows: true });
    isFollowing = true;
    drawNow();
  }

  const begin = () => load([{ from: "start" }]);
  const find = (/** @type {Search} */ by) => load([{ ...by, lines: page }], { by });
  const after = () => load([items, { after: end(label) }], { from: items.at(-1) });

  function before() {
    const first = items.find(({ cursor }) => cursor !== undefined);
    const rest = items.filter((item) => item !== first && item.kind !== "note");
    const parts = [{ ...search, before: first?.cursor, lines: page }, rest];
    return load(isLive ? [...parts, { after: end(label) }] : parts, { by: search, from: rest[0] });
  }

  /** Shows lines in place of others: items, and what to ask for. Where they reach the log's end, it is watched. @param {(Item[] | Record<string, unknown>)[]} parts @param {{ by?: Search | null, follows?: boolean, from?: Item, mark?: string }} [how] Found by a search; followed; from the row of an item on; around the line of a cursor. */
  async function load(parts, { by = null, follows = false, from, mark } = {}) {
    stop.abort();
    const { signal } = stop = new AbortController();
    [isLive, isCut, search, isFollowing, waiting] = [false, false, by, follows, []];
    [fault, told.dataset.kind] = [t("loading"), ""];
    tell();
    try {
      const lists = await Promise.all(parts.map((part) => linesOf(names, part, signal, page)));
      const all = lists.flatMap(({ items }) => items);
      items = Array.isArray(parts[0]) ? all.slice(-2 * page) : all.slice(0, 2 * page);
      list.replaceChildren(rowsOf(items, undefined, !isOne, isWanted));
      // A search says how far back it has come.
      const isShort = "lines" in parts[0] && lists[0].items.length < page && items[0]?.kind !== "note";
      isFirst = "from" in parts[0] || isShort;
      fault = "";
      if (items.length === 0) sayRotated(signal).catch(() => {});
      if (by === null && lists.at(-1)?.isWhole && items.at(-1) === all.at(-1)) watchAll();
      // What it shows takes room.
      tell();
      const marked = items.find(({ cursor }) => cursor === mark)?.row;
      marked?.setAttribute("aria-current", "true");
      marked?.querySelector("a")?.focus({ preventScroll: true });
      const place = () => {
        const top = marked ? marked.offsetTop - box.clientHeight / 2 : from?.row?.offsetTop;
        box.scrollTop = top ?? (follows || by !== null ? box.scrollHeight : 0);
        lastTop = box.scrollTop;
      };
      place();
      // Now the rows there have their heights.
      requestAnimationFrame(place);
    } catch (error) {
      if (signal.aborted) return;
      const { status, message } = /** @type {import("./api.js").Refused} */ (error);
      [fault, told.dataset.kind] = [message, status === 404 ? "stale" : "failed"];
      // It may come.
      if (status === 404) watchAll();
      tell();
    }
  }

  /** Says where older lines are, if there are any. @param {AbortSignal} signal */
  async function sayRotated(signal) {
    /** @type {import("./logs.js").Info[]} */
    const infos = await getJson("/logs", { signal });
    if (!infos.some(({ name, rotated }) => rotated && names.includes(name))) return;
    fill(none, t("There is no line since the log was rotated: older ones are in its rotated files."));
  }

  function watchAll() {
    isLive = true;
    for (const name of names) {
      const since = end(name);
      watch(`log:${name}`, since, stop.signal, (heard) => hear(name, since, heard));
    }
  }

  /** @param {string} name @param {string | undefined} since @param {import("./feed.js").Heard[]} heard */
  function hear(name, since, heard) {
    const state = heard.findLast(({ event }) => event === "state")?.data;
    if (state) fault = state.state === "absent" ? t("not there now, and waited for") : state.reason ?? "";
    const lines = heard.filter(({ event }) => event !== "state").map((record) => itemOf(record, name));
    // Nothing said where to begin in a log without a line.
    if (since === undefined && lines.some(({ cursor }) => cursor !== undefined)) {
      return void load([{ lines: page }], { follows: true });
    }
    const added = lines.filter(({ kind }, i) => kind !== "unfinished" || i === lines.length - 1);
    const isStill = (/** @type {Item} */ item) => {
      const isOver = added.length > 0 && item.kind === "unfinished" && item.name === name;
      if (isOver) item.row?.remove();
      return !isOver;
    };
    items = items.filter(isStill);
    waiting = [...waiting.filter(isStill), ...added];
    isCut ||= waiting.length > max;
    waiting = waiting.slice(-max);
    draw();
  }

  function drawNow() {
    if (!isFollowing || !isLive) return tell();
    const added = waiting.splice(0, atOnce);
    // Between what is shown and what waits some would be missing.
    const over = isCut ? items.length : Math.ceil((items.length + added.length - max) / leaving) * leaving;
    if (over > 0) { for (const { row } of items.splice(0, over)) row?.remove(); }
    [isFirst, isCut] = [isFirst && over <= 0, false];
    list.append(rowsOf(added, items.at(-1), !isOne, isWanted));
    items.push(...added);
    tell();
    toEnd();
    if (waiting.length > 0) draw();
  }

  /** Says how it is. */
  function tell() {
    follows.ariaPressed = String(isFollowing);
    none.hidden = items.length > 0 || !isLive;
    earlier.hidden = isFirst || items.length === 0 || !isOne;
    later.hidden = isLive || items.length === 0 || search !== null;
    const n = count(search === null ? waiting.length : items.filter(({ kind }) => kind === "line").length);
    if (fault !== "") told.textContent = fault;
    else if (search !== null) told.textContent = t("found on the server: {n}", { n });
    else if (isFollowing) told.textContent = t("following");
    else if (waiting.length > 0) told.textContent = t("paused, {n} new", { n: isCut ? `${n}+` : n });
    else told.textContent = isLive ? t("paused") : t("not at the end");
  }

  function toEnd() {
    if (!isFollowing) return;
    box.scrollTop = box.scrollHeight;
    lastTop = box.scrollTop;
  }

  /** Up pauses, the end resumes. */
  function scrolled() {
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 2;
    if (isLive && isFollowing && box.scrollTop < lastTop && !isAtEnd) pause();
    else if (isLive && !isFollowing && box.scrollTop > lastTop && isAtEnd) void follow();
    lastTop = box.scrollTop;
  }

  /** Shows those that are wanted now; says how many, and of how many. */
  function filter() {
    for (const item of items) if (item.row) item.row.hidden = !isWanted(item);
    return [items.filter(({ row }) => row?.hidden === false).length, items.length];
  }

  // Rows get their heights as they come into sight, or when the window changes.
  new ResizeObserver(toEnd).observe(list);
  void (at === "" ? follow() : load([{ before: at, lines: page }, { after: at }], { mark: at }));
  return {
    element,
    close: () => stop.abort(),
    pause,
    follow,
    begin,
    find,
    filter,
    isFollowing: () => isFollowing,
  };
}
