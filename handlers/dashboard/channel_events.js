import { getJson, may } from "./api.js";
import { command, fill, h, put } from "./dom.js";
import { watch } from "./feed.js";
import { choice } from "./fields.js";
import { newest, row } from "./newest.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** One channel: a box to publish, and its events. @param {HTMLElement} root @param {string} name */
export async function mountEvents(root, name) {
  const isName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
  if (!isName || name === "sensors") {
    const text = isName
      ? t("The channel sensors is the server's own: its readings are in the overview.")
      : t("A channel's name is 1 to 64 letters, digits, . _ or -, the first a letter or digit.");
    fill(root, h("p", { role: "alert" }, text));
    return () => {};
  }
  const path = `/channels/${name}`;
  const { element, add } = newest(
    t("Events of {name}, the newest first", { name }),
    t("Nothing is published here yet. What comes shows at once."),
  );
  const mayNot = h(
    "p",
    { className: "caption" },
    t("Your token has not the right {right}.", { right: "publish" }),
  );
  const line = command(`curl -N ${location.origin}${path}?after=0`);
  put(root, [h("h2", {}, name), may("publish") ? publisher(path) : mayNot, element, line]);

  /** @type {import("./server.js").Listed[]} */
  const channels = await getJson("/channels").catch(() => []);
  /** How many more come that were there before: nobody knows when they were published. */
  let kept = channels.find((channel) => channel.name === name)?.events ?? 0;
  return watch(`channel:${name}`, (heard) => {
    for (const { event, data } of heard) {
      if (event === "gap") add(h("p", { className: "gap" }, missing(data.lost)));
      else if (event !== "state") {
        add(row(kept-- > 0 ? null : new Date(), typeof data === "string" ? data : JSON.stringify(data)));
      } else if (data.reason) add(h("p", { role: "alert" }, data.reason));
    }
  }, "0");
}

/** @param {number | null} lost */
const missing = (lost) =>
  lost === null ? t("events may be missing here") : t("{n} events are missing here", { n: count(lost) });

/** The box to publish. @param {string} path */
function publisher(path) {
  const body = h("textarea", { rows: 3, value: '{"value": 1}', "aria-label": t("What to publish") });
  const lines = ["application/x-ndjson", t("JSON, an event a line")];
  const types = [["application/json", "JSON"], ["text/plain", t("text")], lines];
  const type = choice(types, { "aria-label": t("Written as") });
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
  body.onkeydown = ({ key, ctrlKey, metaKey }) => {
    if (key === "Enter" && (ctrlKey || metaKey)) form.requestSubmit();
  };
  return form;
}
