import { ask, records } from "./api.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** @typedef {import("./log_line.js").Item} Item */

/** Where lines of logs are asked for: of one, or of several merged. @param {string[]} names @param {Record<string, unknown>} query */
export function targetOf(names, query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const several = names.length > 1 ? names : [];
  const parameters = [...given, ...several.map((name) => ["name", name])].map((
    [name, value],
  ) => [name, String(value)]);
  return `/logs${several.length > 0 ? "" : `/${encodeURIComponent(names[0])}`}?${new URLSearchParams(
    parameters,
  )}`;
}

/** What a record of logs is as an item. @param {import("./feed.js").Heard} record @param {string} name @returns {Item} */
export function itemOf({ id, event, cursor = id, data }, name) {
  if (event === "searched") {
    return { name, kind: "note", cursor: data.from, text: t("Searched back to here") };
  }
  if (event === "gap") {
    const text = data.lost === null
      ? t("Lines may be missing here: the file was cut or replaced, or an older one is gone")
      : t("{n} lines are missing here", { n: count(data.lost) });
    return { name: data.name ?? name, kind: "gap", text };
  }
  const { line = data, name: own = name, cursor: after = cursor } = Object(data);
  return { name: own, kind: event === "unfinished" ? event : "line", text: line, cursor: after };
}

/** Lines that are there now, up to `limit`, and whether those were all. @param {string[]} names @param {Record<string, unknown>} query @param {AbortSignal} signal @param {number} limit */
export async function linesOf(names, query, signal, limit) {
  /** @type {Item[]} */
  const items = [];
  const target = targetOf(names, { ...query, follow: false, format: "ndjson" });
  for await (const batch of records(await ask(target, { signal }))) {
    for (const record of batch) {
      if (record.event === "end") return { items, isWhole: true };
      const item = itemOf(record, names[0]);
      if (item.kind === "line" && item.cursor === undefined) item.kind = "unfinished";
      if (items.push(item) === limit) return { items, isWhole: false };
    }
  }
  throw new Error(t("the answer was cut"));
}
