import { ask, records } from "./api.js";
import { t } from "./words.js";

/** A record of a source: `event` is its kind, `gap` and `state` too; `data` is the source's own, but of a `state` the whole record's; so is `cursor`. @typedef {{ event?: string, data: any, id?: string, cursor?: string }} Heard */
/** @typedef {(records: Heard[]) => void} Hear */
/** @typedef {{ state: "connecting" | "live" | "waiting" | "hidden" | "denied", until: number, reason: string, missed: number | null }} FeedState */

/** ms between two tries: at random up to the first, twice that after each that failed; ms of silence after which a connection is dead, as a ping comes every 15 s. */
const [firstMs, longestMs, silentMs] = [1_000, 30_000, 40_000];

/** Windows of a browser that are connected at once: it makes six connections to a server, and the others are for what is asked meanwhile. */
const mostWindows = 4;
const windows = new BroadcastChannel("weir");
const own = Math.random();
/** Windows that were looked at after this one. */
const newer = new Set();

const watchers = /** @type {Map<string, Set<Hear>>} */ (new Map());
/** Where sources begin that the cursor does not stand for yet; `""` is live. @type {Map<string, string>} */
const starts = new Map();
const listeners = /** @type {Set<(state: FeedState) => void>} */ (new Set());

/** @type {FeedState} */
let state = { state: "connecting", until: 0, reason: "", missed: 0 };
/** The cursor of all sources. */
let cursor = "";
/** Tries that failed in a row. */
let failures = 0;
let stop = new AbortController();
/** Timers of the next try, and of a silence that is too long. */
let [timer, silence] = [0, 0];

function tell(/** @type {Partial<FeedState>} */ change) {
  state = { ...state, ...change };
  for (const listener of listeners) listener(state);
}

/** Calls `listener` now, and whenever the connection's state changes. @param {(state: FeedState) => void} listener @param {AbortSignal} [signal] */
export function onFeed(listener, signal) {
  listeners.add(listener);
  listener(state);
  signal?.addEventListener("abort", () => listeners.delete(listener));
}

/** Watches a source (`log:NAME`, `channel:NAME`, `sensor:ID`, `run:NAME`, `server`) until the signal. It begins after the cursor `since`, else live; a source that is watched already has its place. One connection has all sources: it is made anew, at its cursor, when they change. @param {string} source @param {string | undefined} since @param {AbortSignal | null} signal @param {Hear} hear */
export function watch(source, since = "", signal, hear) {
  if (signal?.aborted) return;
  const set = watchers.get(source) ?? new Set();
  if (set.size === 0) {
    watchers.set(source, set);
    starts.set(source, since);
    again();
  }
  set.add(hear);
  signal?.addEventListener("abort", () => {
    set.delete(hear);
    if (set.size > 0) return;
    watchers.delete(source);
    starts.delete(source);
    again();
  });
}

/** Tries now, in place of when it is due. */
export const retry = () => again();

/** What was missed has been seen. */
export const acknowledge = () => tell({ missed: 0 });

/** Connects anew, in the next turn: what a view starts to watch together makes one connection. */
function again(ms = 0) {
  clearTimeout(timer);
  clearTimeout(silence);
  stop.abort();
  if (watchers.size === 0 || state.state === "denied") return;
  if (document.hidden) return tell({ state: "hidden", reason: "" });
  if (newer.size >= mostWindows) return tell({ state: "hidden", reason: t("paused for other windows") });
  timer = setTimeout(connect, ms);
}

/** Something has come, or may yet. */
function expect() {
  clearTimeout(silence);
  silence = setTimeout(() => {
    tell({ state: "waiting", until: Date.now(), reason: "" });
    again();
  }, silentMs);
}

function target() {
  const query = new URLSearchParams({ format: "ndjson" });
  for (const source of watchers.keys()) {
    const [kind, ...name] = source.split(":");
    query.append(kind, name.join(":"));
    const start = starts.get(source);
    if (start !== undefined && start + cursor !== "") query.append("since", `${source}=${start}`);
  }
  if (cursor !== "") query.set("after", cursor);
  return `/events?${query}`;
}

async function connect() {
  stop = new AbortController();
  const { signal } = stop;
  let reason = "";
  try {
    expect();
    const response = await ask(target(), { signal });
    tell({ state: "live" });
    for await (const batch of records(response)) {
      if (signal.aborted) return;
      failures = 0;
      expect();
      reason = dispatch(batch);
      if (reason !== "") break;
      // What has come already must not hold up what the user does.
      await new Promise((resolve) => setTimeout(resolve));
    }
  } catch (error) {
    if (signal.aborted) return;
    const { status = 0, message } = /** @type {import("./api.js").Refused} */ (error);
    if (status === 401) {
      clearTimeout(silence);
      return tell({ state: "denied" });
    }
    if (status >= 400 && status < 500) reason = message;
  }
  if (signal.aborted) return;
  const ms = (0.5 + Math.random() / 2) * Math.min(firstMs * 2 ** failures++, longestMs);
  tell({ state: "waiting", until: Date.now() + ms, reason });
  again(ms);
}

/** Hands each source its records; returns the reason where the stream has ended. @param {Heard[]} batch */
function dispatch(batch) {
  const last = batch.findLast(({ id }) => id !== undefined);
  // It stands for every source that was asked for.
  if (last !== undefined) starts.clear();
  cursor = last?.id ?? cursor;
  const own = batch.filter(({ data }) => data?.source !== undefined);
  // Each process has sensors of its own: another's readings are no loss, and the chart has its hole.
  const gaps = own.filter(({ event, data }) => event === "gap" && !data.source.startsWith("sensor:"));
  const missed = gaps.reduce((sum, { data }) => sum + (data.data.lost ?? NaN), state.missed ?? NaN);
  if (gaps.length > 0) tell({ missed: Number.isNaN(missed) ? null : missed });
  for (const [source, records] of Map.groupBy(own, ({ data }) => data.source)) {
    const heard = records.map(({ id, event, data }) => {
      // The source's own comes last, after its tag.
      const cursor = id?.slice(id.lastIndexOf("~") + 8, -1);
      return { id, event, cursor, data: event === "state" ? data : data.data };
    });
    for (const hear of watchers.get(source) ?? []) {
      try {
        hear(heard);
      } catch (error) {
        // One view's fault must not cut the others.
        reportError(error);
      }
    }
  }
  return batch.find(({ event }) => event === "end")?.data.reason ?? "";
}

addEventListener("online", retry);

/** Takes the place of the window that was looked at the longest ago, or leaves its own. */
function show(isShown = !document.hidden) {
  const was = newer.size >= mostWindows;
  newer.clear();
  windows.postMessage({ own, isShown });
  if (was || !isShown || state.state === "hidden") again();
}
windows.onmessage = (/** @type {MessageEvent<{ own: number, isShown: boolean }>} */ { data }) => {
  const before = newer.size >= mostWindows;
  if (data.isShown) newer.add(data.own);
  else newer.delete(data.own);
  if (before !== newer.size >= mostWindows) again();
};
addEventListener("focus", () => show());
addEventListener("pagehide", () => show(false));
addEventListener("pageshow", () => show());
document.addEventListener("visibilitychange", () => show());
show();
