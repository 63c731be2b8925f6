import { watch } from "./feed.js";

/** @typedef {{ name: string } & Record<string, any>} Listed */

/** What is open, by its name. @type {Record<string, number | boolean>} */
export let counts = {};

/** The lists, by their names: channels, runs, logs. @type {Map<string, Map<string, Listed>>} */
const lists = new Map();

const listeners = /** @type {Set<() => void>} */ (new Set());

/** A list, sorted by name. @param {"channels" | "runs" | "logs"} name */
export const listOf = (name) =>
  [...lists.get(name)?.values() ?? []].sort((a, b) => a.name.localeCompare(b.name));

/** Calls `listener` now, and whenever the counts or lists have changed. @param {() => void} listener @param {AbortSignal} [signal] */
export function onServer(listener, signal) {
  listeners.add(listener);
  listener();
  signal?.addEventListener("abort", () => listeners.delete(listener));
}

/** Begins to watch the server itself. */
export function watchServer() {
  watch("server", "", null, (heard) => {
    for (const { event, data } of heard) {
      if (event === "counts") counts = data;
      if (event === "lists") Object.keys(data).forEach((name) => lists.delete(name));
      if (event !== "lists" && event !== "changes") continue;
      for (const [name, of] of Object.entries(data)) {
        const list = lists.get(name) ?? new Map();
        for (const gone of of.removed ?? []) list.delete(gone);
        for (const entry of of.added ?? of) list.set(entry.name, entry);
        lists.set(name, list);
      }
    }
    for (const listener of listeners) listener();
  });
}
