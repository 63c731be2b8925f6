import { ask, records, Refused } from "./api.js";

/**
 * What a watcher of a source hears: each record of it (`event` is its kind, `gap` and `state` too; `data` is the source's own).
 *
 * @typedef {{ event?: string, data: any, id?: string }} Heard
 * @typedef {{ hear: (records: Heard[]) => void }} Watcher
 * @typedef {{ state: "connecting" | "live" | "waiting" | "hidden" | "denied" | "refused", until: number, reason: string, missed: number | null }} FeedState
 */

/** ms between two tries: at random up to this, and twice that after each that failed. */
const [firstMs, longestMs] = [1_000, 30_000];

/** @type {Map<string, Set<Watcher>>} */
const watchers = new Map();
/** Where sources begin that nothing has come of yet. @type {Map<string, string>} */
const starts = new Map();
/** @type {Set<(state: FeedState) => void>} */
const listeners = new Set();

/** @type {FeedState} */
let state = { state: "connecting", until: 0, reason: "", missed: 0 };
/** The cursor of all sources. */
let cursor = "";
/** Tries that failed in a row. */
let failures = 0;
let stop = new AbortController();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {Partial<FeedState>} change */
function tell(change) {
  state = { ...state, ...change };
  for (const listener of listeners) listener(state);
}

/** Calls `listener` now, and whenever the connection's state changes. @param {(state: FeedState) => void} listener */
export function onFeed(listener) {
  listeners.add(listener);
  listener(state);
  return () => void listeners.delete(listener);
}

/**
 * Watches a source (`log:NAME`, `channel:NAME`, `sensor:ID`, `run:NAME`, `server`) until the function that it returns is called.
 * It begins after the cursor `since`, else live. One connection has all sources: it is made anew, at its cursor, when they change.
 *
 * @param {string} source
 * @param {Watcher["hear"]} hear
 * @param {string} [since]
 * @returns {() => void}
 */
export function watch(source, hear, since) {
  const watcher = { hear };
  const set = watchers.get(source) ?? new Set();
  if (set.size === 0) {
    watchers.set(source, set);
    if (since !== undefined) starts.set(source, since);
    again();
  }
  set.add(watcher);
  return () => {
    if (!set.delete(watcher) || set.size > 0) return;
    watchers.delete(source);
    starts.delete(source);
    again();
  };
}

/** Tries now, in place of when it is due. */
export const retry = () => again();

/** Connects anew, in the next turn: what a view starts to watch together makes one connection. */
function again(ms = 0) {
  clearTimeout(timer);
  stop.abort();
  if (document.hidden || watchers.size === 0 || state.state === "denied") return;
  timer = setTimeout(connect, ms);
}

function target() {
  const query = new URLSearchParams({ format: "ndjson" });
  for (const source of watchers.keys()) {
    const [kind, ...name] = source.split(":");
    query.append(kind, name.join(":"));
    const start = starts.get(source);
    if (start !== undefined) query.append("since", `${source}=${start}`);
  }
  if (cursor !== "") query.set("after", cursor);
  return `/events?${query}`;
}

async function connect() {
  stop = new AbortController();
  const { signal } = stop;
  let reason = "";
  try {
    const response = await ask(target(), { signal });
    tell({ state: "live", missed: 0 });
    for await (const batch of records(response)) {
      if (signal.aborted) return;
      failures = 0;
      reason = dispatch(batch);
      if (reason !== "") break;
      // What has come already must not hold up what the user does.
      await new Promise((resolve) => setTimeout(resolve));
    }
  } catch (error) {
    if (signal.aborted) return;
    const status = error instanceof Refused ? error.status : 0;
    if (status === 401) return tell({ state: "denied" });
    if (status >= 400 && status < 500) reason = /** @type {Error} */ (error).message;
  }
  if (signal.aborted) return;
  const ms = (0.5 + Math.random() / 2) * Math.min(firstMs * 2 ** failures++, longestMs);
  tell({ state: "waiting", until: Date.now() + ms, reason });
  again(ms);
}

/** Hands each source its records; returns the reason where the stream has ended. @param {Heard[]} batch */
function dispatch(batch) {
  /** @type {Map<string, Heard[]>} */
  const bySource = new Map();
  let end = "";
  let missed = 0;
  for (const { id, event, data } of batch) {
    if (id !== undefined) cursor = id;
    if (event === "end") end = data.reason;
    const source = data?.source;
    if (source === undefined) continue;
    if (id !== undefined) starts.delete(source);
    const heard = { event, id, data: event === "gap" || event === "state" ? data : data.data };
    if (event === "gap") missed += data.lost ?? NaN;
    const list = bySource.get(source);
    if (list === undefined) bySource.set(source, [heard]);
    else list.push(heard);
  }
  if (missed !== 0) tell({ missed: Number.isNaN(missed) ? null : (state.missed ?? 0) + missed });
  for (const [source, heard] of bySource) {
    for (const { hear } of watchers.get(source) ?? []) hear(heard);
  }
  return end;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden && state.state !== "denied") tell({ state: "hidden" });
  again();
});
