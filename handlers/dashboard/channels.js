import { mountEvents } from "./channel_events.js";
import { arrange, empty, h, put } from "./dom.js";
import { listOf, onServer } from "./server.js";
import { mountSocket } from "./sockets.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** `ws` is the tab of the WebSocket: a channel of that name has a slash behind it. @param {string} name */
const placeOf = (name) => `#channels/${name === "ws" ? "ws/" : name}`;

/** `#channels`, `#channels/NAME`, `#channels/ws`. @type {import("./main.js").View["mount"]} */
export async function mount(root, place) {
  const isSocket = place === "ws";
  const name = place.replace(/\/$/, "");
  const tab = (/** @type {string} */ href, /** @type {string} */ text, /** @type {boolean} */ isHere) =>
    h("a", { href, "aria-current": isHere && "true" }, text);
  const tabs = [tab("#channels", t("Channels"), !isSocket), tab("#channels/ws", "WebSocket", isSocket)];
  put(root, [h("nav", { className: "tabs", "aria-label": t("Channels and WebSocket") }, tabs)]);
  if (isSocket) return mountSocket(root);

  const list = h("ul", { "aria-label": t("Channels") });
  const other = h("input", { value: "demo", required: true, "aria-label": t("A channel's name") });
  const go = h("form", { className: "bar" }, other, h("button", {}, t("Watch")));
  go.onsubmit = (event) => {
    event.preventDefault();
    location.hash = placeOf(other.value.trim());
  };
  const detail = h("div", { className: "panel" });
  put(root, [h("div", { className: "split" }, h("div", { className: "panel" }, go, list), detail)]);

  /** The rows that are shown, which stay the same elements. @type {Map<string, HTMLElement>} */
  let rows = new Map();
  const leave = onServer(() => {
    const channels = listOf("channels");
    const before = [...rows.keys()].join();
    rows = new Map(channels.map((each) => [each.name, rows.get(each.name) ?? row(each.name, name)]));
    if ([...rows.keys()].join() !== before) arrange(list, [...rows.values()]);
    for (const { name, events, readers } of channels) {
      const had = events === 1 ? t("1 event") : t("{n} events", { n: count(events) });
      const has = readers === 1 ? t("1 reader") : t("{n} readers", { n: count(readers) });
      const caption = /** @type {HTMLElement} */ (rows.get(name)?.querySelector("small"));
      caption.textContent = readers === null ? had : `${had} · ${has}`;
    }
  });
  if (name !== "") {
    const end = await mountEvents(detail, name);
    return () => (leave(), end());
  }
  const about = t(
    "What is published in a channel comes to all who watch it. An event, or a reader, makes a channel:",
  );
  put(detail, [empty(about, `curl -d '{"value":1}' ${location.origin}/channels/demo`)]);
  return leave;
}

/** @param {string} name @param {string} chosen */
function row(name, chosen) {
  const props = { className: "choice", href: placeOf(name), "aria-current": name === chosen && "true" };
  return h("li", {}, h("a", props, h("span", {}, name), h("small", {})));
}
