import { getJson, may } from "./api.js";
import { command, h, put } from "./dom.js";
import { watch } from "./feed.js";
import { choice } from "./fields.js";
import { most, newest, row } from "./newest.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** One channel: a box to publish, and its events. @param {HTMLElement} root @param {string} name */
export async function mountEvents(root, name) {
  // What no channel can have would have the one connection refused.
  if (!/^(?!sensors$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    const rule = t(
      "A channel's name is 1 to 64 letters, digits, . _ or -, and not sensors, which is the server's own.",
    );
    put(root, [h("p", { role: "alert" }, rule)]);
    return () => {};
  }
  const path = `/channels/${name}`;
  const { region, add } = newest(t("Events, the newest last"), t("Nothing is published here yet."));
  put(root, [
    h("h2", {}, name),
    publisher(path),
    region,
    command(`curl -N ${location.origin}${path}?after=0`),
  ]);
  /** @type {import("./server.js").Listed[]} */
  const channels = await getJson("/channels").catch(() => []);
  /** How many more come that were there before: nobody knows since when. */
  let kept = channels.find((channel) => channel.name === name)?.events ?? 0;
  return watch(`channel:${name}`, (heard) => {
    kept -= Math.max(0, heard.length - most);
    const rows = heard.slice(-most).map(({ event, data }) => {
      if (event === "state") return h("p", { role: "alert" }, data.reason ?? data.state);
      if (event === "gap") return h("p", { className: "gap" }, missing(data.lost));
      return row(typeof data === "string" ? data : JSON.stringify(data), kept-- > 0 ? null : undefined);
    });
    add(...rows);
  }, "0");
}

/** @param {number | null} lost */
const missing = (lost) =>
  lost === null ? t("events may be missing here") : t("{n} events are missing here", { n: count(lost) });

/** The box to publish, for who may. @param {string} path */
function publisher(path) {
  if (!may("publish")) return h("p", {}, t("Your token has not the right {right}.", { right: "publish" }));
  const body = h("textarea", { rows: 3, value: '{"value": 1}', ariaLabel: t("What to publish") });
  const lines = ["application/x-ndjson", t("JSON, an event a line")];
  const types = [["application/json", "JSON"], ["text/plain", t("text")], lines];
  const type = choice(types, { ariaLabel: t("Written as") });
  const said = h("span", { role: "status" });
  const bar = h("div", { className: "bar" }, type, h("button", { className: "primary" }, t("Publish")), said);
  const form = h("form", { className: "panel" }, body, bar);
  form.onsubmit = async (event) => {
    event.preventDefault();
    const init = { method: "POST", headers: { "Content-Type": type.value }, body: body.value };
    const { count: n, message } = await getJson(path, init).catch((error) => error);
    said.textContent = message ?? t("published: {n}", { n });
    said.dataset.kind = message === undefined ? "" : "failed";
  };
  return form;
}
