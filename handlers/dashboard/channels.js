import { curl, getJson, may } from "./api.js";
import { alert, arrange, bar, choice, command, empty, fill, h, panel, put, split } from "./dom.js";
import { watch } from "./feed.js";
import { most, newest, row } from "./newest.js";
import { listOf, onServer } from "./server.js";
import { mountSocket } from "./sockets.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** `ws` is the tab of the WebSocket: a channel of that name has a slash behind it. @param {string} name */
const placeOf = (name) => `#channels/${name === "ws" ? "ws/" : name}`;

/** A link to another place of this view. @param {string} href @param {boolean} isHere @param {string} text @param {Record<string, unknown>} [props] */
const linkTo = (href, isHere, text, props) =>
  h("a", { href, ariaCurrent: isHere ? "true" : null, ...props }, text);

/** `#channels`, `#channels/NAME`, `#channels/ws`, and `#channels/ws?/PATH` of another socket. @type {import("./main.js").View["mount"]} */
export function mount(root, place, signal) {
  const [tab, target] = place.split(/\?(.*)/);
  const isSocket = tab === "ws" && place !== "ws/";
  const chosen = place.replace(/\/$/, "");
  const tabs = [linkTo("#channels", !isSocket, t("Channels")), linkTo("#channels/ws", isSocket, "WebSocket")];
  put(root, [h("nav", { className: "tabs", ariaLabel: t("Channels and WebSocket") }, tabs)]);
  if (isSocket) return mountSocket(root, target, signal);

  const other = h("input", { value: "demo", required: true, ariaLabel: t("A channel's name") });
  const form = h("form", { className: "bar" }, other, h("button", {}, t("Watch")));
  form.onsubmit = () => location.hash = placeOf(other.value.trim());
  const list = h("ul", { ariaLabel: t("Channels") });
  const detail = panel();
  root.append(split(panel(form, list), detail));

  /** The rows by their names: they stay the same elements. @type {Map<string, HTMLElement>} */
  const rows = new Map();
  onServer(() => {
    const shown = listOf("channels").map(({ name, events, readers }) => {
      const made = linkTo(placeOf(name), name === chosen, "", { className: "choice" });
      const row = rows.get(name) ?? h("li", {}, made);
      rows.set(name, row);
      const had = events === 1 ? t("1 event") : t("{n} events", { n: count(events) });
      const has = readers === 1 ? t("1 reader") : t("{n} readers", { n: count(readers) });
      const caption = h("small", {}, had, readers !== null && ` · ${has}`);
      fill(/** @type {Element} */ (row.firstElementChild), name, caption);
      return row;
    });
    arrange(list, shown);
  }, signal);
  if (chosen !== "") return mountEvents(detail, chosen, signal);
  const about = t(
    "What is published in a channel comes to all who watch it. An event, or a reader, makes a channel:",
  );
  detail.append(empty(about, curl("/channels/demo", `-d '{"value":1}'`)));
}

/** One channel: a box to publish, and its events. @param {HTMLElement} root @param {string} name @param {AbortSignal} signal */
async function mountEvents(root, name, signal) {
  // What no channel can have would have the one connection refused.
  if (!/^(?!sensors$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    const rule = t(
      "A channel's name is 1 to 64 letters, digits, . _ or -, and not sensors, which is the server's own.",
    );
    return root.append(alert({ message: rule }));
  }
  const path = `/channels/${name}`;
  const { region, add } = newest(t("Events, the newest last"), t("Nothing is published here yet."));
  root.append(h("h2", {}, name), publisher(path), region, command(curl(`${path}?after=0`)));
  /** @type {import("./server.js").Listed[]} */
  const channels = await getJson("/channels").catch(() => []);
  /** How many more come that were there before: nobody knows since when. */
  let kept = channels.find((channel) => channel.name === name)?.events ?? 0;
  watch(`channel:${name}`, "0", signal, (heard) => {
    kept -= Math.max(0, heard.length - most);
    const rows = heard.slice(-most).map(({ event, data }) => {
      if (event === "state") return alert({ message: data.reason ?? data.state });
      if (event === "gap") return h("p", { className: "gap" }, missing(data.lost));
      return row(typeof data === "string" ? data : JSON.stringify(data), kept-- > 0 ? null : undefined);
    });
    add(...rows);
  });
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
  const publish = h("button", { className: "primary" }, t("Publish"));
  const form = h("form", { className: "panel" }, body, bar(type, publish, said));
  form.onsubmit = async () => {
    const init = { method: "POST", headers: { "Content-Type": type.value }, body: body.value };
    const { count: n, message } = await getJson(path, init).catch((error) => error);
    said.textContent = message ?? t("published: {n}", { n });
    said.dataset.kind = message === undefined ? "" : "failed";
  };
  return form;
}
