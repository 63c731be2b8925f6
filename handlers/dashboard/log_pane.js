import { h, oncePerFrame } from "./dom.js";
import { watch } from "./feed.js";
import { itemOf, linesOf, targetOf } from "./log_lines.js";
import { LogRows } from "./log_rows.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** @typedef {import("./log_line.js").Item} Item */
/** @typedef {{ grep?: string, not?: string, icase?: boolean }} Search */

/** Lines that are asked for at once. */
const page = 500;
/** Rows that are made in one frame. */
const atOnce = 300;

/** One log, or several merged: what there is by a finite request, then watched from its cursors on. */
export class LogPane {
  isFollowing = true;
  /** Nothing is missing between the last row and what is watched. */
  #isLive = false;
  /** What has come since it is paused, or since the last frame: the newest of it, and how many in all. @type {Item[]} */
  #waiting = [];
  #new = 0;
  /** What the rows were searched by; null: they are all lines. @type {Search | null} */
  #search = null;
  /** Nothing is before the first row, in its file. */
  #isFirst = false;
  #fault = "";
  /** Ends what is watched. @type {(() => void)[]} */
  #ends = [];
  #stop = new AbortController();
  #lastTop = 0;
  #draw = oncePerFrame(() => this.#drawNow());

  /** @param {string[]} names @param {string} at The cursor of a line to begin at. @param {number} max Rows. @param {(item: Item) => boolean} isWanted @param {() => Search} asked What is searched in the page. */
  constructor(names, at, max, isWanted, asked) {
    this.names = names;
    this.max = max;
    const label = names.join(", ");
    this.rows = new LogRows(t("Lines of {name}", { name: label }), names.length > 1, isWanted);
    const { box } = this.rows;
    this.told = h("span", { className: "caption" });
    this.button = h(
      "button",
      { onclick: () => this.isFollowing ? this.pause() : this.follow() },
      t("Follow"),
    );
    this.earlier = h("button", { className: "quiet", onclick: () => this.#more(true) }, t("Earlier lines"));
    this.later = h("button", { className: "quiet", onclick: () => this.#more(false) }, t("Later lines"));
    const download = h("a", { href: "", download: names.length > 1 ? "logs.txt" : label }, t("Download"));
    download.onclick = () => {
      const lines = this.rows.items.filter(({ row }) => row?.hidden === false).length || 1;
      const before = this.#isLive || names.length > 1 ? undefined : this.#end(label);
      download.href = targetOf(names, { ...asked(), before, lines, follow: false, format: "text" });
    };
    box.prepend(this.earlier);
    box.append(this.later);
    box.onscroll = () => this.#scrolled();
    box.onclick = (event) => this.#chosen(event);
    this.element = h("section", { className: "pane", ariaLabel: label }, [
      h("header", { className: "bar" }, [
        h("h2", {}, h("bdi", {}, label)),
        this.told,
        h("span", { className: "grow" }),
        download,
        h("button", { className: "quiet", onclick: () => this.begin() }, t("Begin")),
        this.button,
      ]),
      box,
    ]);
    if (at === "") void this.follow();
    else void this.#load([{ before: at, lines: page }, { after: at }], { mark: at });
  }

  close() {
    this.#stop.abort();
    for (const end of this.#ends.splice(0)) end();
  }

  /** Shows the last lines, and each new one. */
  follow() {
    if (!this.#isLive) return this.#load([{ lines: page }], { isFollowing: true });
    this.isFollowing = true;
    this.#drawNow();
  }

  /** What comes from now on is shown when it is followed again. */
  pause() {
    this.isFollowing = false;
    this.#tell();
  }

  /** Shows the first lines that there are. */
  begin() {
    return this.#load([{ from: "start" }]);
  }

  /** Asks the server for the last lines that match. @param {Search} search */
  search(search) {
    return this.#load([{ ...search, lines: page }], { search });
  }

  /** Lines before or after those that are shown. @param {boolean} isEarlier */
  #more(isEarlier) {
    const search = this.#search;
    const { items } = this.rows;
    const after = { after: this.#end(this.names[0]) };
    const first = items.find(({ cursor }) => cursor !== undefined);
    const shown = items.filter((item) => item !== first && item.kind !== "note");
    const parts = isEarlier
      ? [{ ...search, before: first?.cursor, lines: page }, shown, ...this.#isLive ? [after] : []]
      : [items, after];
    return this.#load(parts, { search, keep: isEarlier ? shown[0] : items.at(-1) });
  }

  /** The cursor after the last row of a log. @param {string} name */
  #end(name) {
    return this.rows.items.findLast((item) => item.name === name && item.cursor !== undefined)?.cursor;
  }

  /**
   * Shows lines in place of those that are there; parts are items, or what to ask for. Where they reach the log's end, it is watched.
   *
   * @param {(Item[] | Record<string, unknown>)[]} parts
   * @param {{ search?: Search | null, isFollowing?: boolean, mark?: string, keep?: Item }} [how] `mark`: the cursor of a line to go to; `keep`: the row that stays where it is.
   */
  async #load(parts, { search = null, isFollowing = false, mark = "", keep } = {}) {
    this.close();
    const { signal } = this.#stop = new AbortController();
    [this.#isLive, this.#search, this.isFollowing, this.#waiting, this.#new] = [
      false,
      search,
      isFollowing,
      [],
      0,
    ];
    this.#fault = t("loading");
    this.#tell();
    const { rows, rows: { box }, max } = this;
    try {
      const lists = await Promise.all(
        parts.map((part) =>
          Array.isArray(part)
            ? { items: part, isWhole: false }
            : linesOf(this.names, part, signal, "lines" in part ? Infinity : page)
        ),
      );
      const all = lists.flatMap(({ items }) => items);
      const items = Array.isArray(parts[0]) ? all.slice(-max) : all.slice(0, max);
      const top = keep?.row?.getBoundingClientRect().top ?? 0;
      rows.fill(items);
      this.#fault = "";
      this.#isFirst = "from" in parts[0] || "lines" in parts[0] && lists[0].items.length < page;
      if (search === null && lists.at(-1)?.isWhole && items.at(-1) === all.at(-1)) this.#watch();
      // What it shows takes room.
      this.#tell();
      if (mark !== "") rows.mark(mark)?.scrollIntoView({ block: "center" });
      else if (keep?.row) box.scrollTop += keep.row.getBoundingClientRect().top - top;
      else box.scrollTop = isFollowing || search !== null ? box.scrollHeight : 0;
    } catch (error) {
      if (signal.aborted) return;
      const { status, message } = /** @type {import("./api.js").Refused} */ (error);
      this.#fault = message;
      // It may come.
      if (status === 404) this.#watch();
    }
    this.#lastTop = box.scrollTop;
    this.#tell();
  }

  #watch() {
    this.#isLive = true;
    this.#ends = this.names.map((name) => {
      const since = this.#end(name);
      return watch(`log:${name}`, (heard) => this.#hear(name, since, heard), since);
    });
  }

  /** @param {string} name @param {string | undefined} since @param {import("./feed.js").Heard[]} heard */
  #hear(name, since, heard) {
    for (const { event, data } of heard) {
      if (event !== "state") continue;
      this.#fault = data.state === "absent" ? t("not there now, and waited for") : data.reason ?? "";
    }
    const items = heard.filter(({ event }) => event !== "state").map((record) => itemOf(record, name));
    if (since === undefined && items.some(({ cursor }) => cursor !== undefined)) {
      // Nothing said where to begin in a log without a line.
      this.#isLive = false;
      return void this.follow();
    }
    const added = items.filter(({ kind }, i) => kind !== "unfinished" || i === items.length - 1);
    if (added.length > 0) {
      const isOpen = (/** @type {Item} */ item) => item.kind === "unfinished" && item.name === name;
      this.rows.items.filter(isOpen).forEach((item) => this.rows.remove(item));
      this.#waiting = [...this.#waiting.filter((item) => !isOpen(item)), ...added].slice(-this.max);
      this.#new += added.length;
    }
    this.#draw();
  }

  #drawNow() {
    const { rows, rows: { box }, max } = this;
    if (!this.isFollowing || !this.#isLive) return this.#tell();
    this.#isFirst &&= rows.items.length + this.#new <= max;
    // Between what is shown and what waits some would be missing.
    if (this.#new > this.#waiting.length) rows.fill([]);
    rows.append(this.#waiting.splice(0, atOnce), max);
    this.#new = this.#waiting.length;
    this.#tell();
    box.scrollTop = box.scrollHeight;
    this.#lastTop = box.scrollTop;
    if (this.#new > 0) this.#draw();
  }

  /** Says how it is. */
  #tell() {
    const n = this.rows.items.length;
    this.button.ariaPressed = String(this.isFollowing);
    this.earlier.hidden = this.#isFirst || n === 0 || this.names.length > 1;
    this.later.hidden = this.#isLive || n === 0 || this.#search !== null;
    this.told.textContent = this.#fault ||
      (this.#search !== null
        ? t("{n} lines found on the server", {
          n: count(this.rows.items.filter(({ kind }) => kind === "line").length),
        })
        : this.isFollowing
        ? t("following")
        : this.#new > 0
        ? t("paused, {n} new lines", { n: count(this.#new) })
        : this.#isLive
        ? t("paused")
        : t("not at the end"));
  }

  /** Up pauses, the end resumes. */
  #scrolled() {
    const { scrollTop } = this.rows.box;
    if (this.#isLive && this.isFollowing && scrollTop < this.#lastTop && !this.rows.isAtEnd) this.pause();
    else if (this.#isLive && !this.isFollowing && scrollTop > this.#lastTop && this.rows.isAtEnd) {
      void this.follow();
    }
    this.#lastTop = scrollTop;
  }

  /** The link of a line that is shown among its neighbours only changes the address. @param {MouseEvent} event */
  #chosen(event) {
    const link = /** @type {Element} */ (event.target).closest("a.at");
    const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey);
    if (!(link instanceof HTMLAnchorElement) || !isPlain || this.#search !== null || this.names.length > 1) {
      return;
    }
    event.preventDefault();
    history.replaceState(null, "", link.hash);
    this.pause();
    this.rows.mark(link.hash.split("/").at(-1) ?? "");
  }
}
