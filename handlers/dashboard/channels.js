import { mountEvents } from "./channel_events.js";
import { arrange, empty, h, put } from "./dom.js";
import { listOf, onServer } from "./server.js";
import { mountSocket } from "./sockets.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** `ws` is the tab of the WebSocket: a channel of that name has a slash behind it. @param {string} name */
const placeOf = (name) => `#channels/${name === "ws" ? "ws/" : name}`;

/** A link to another place of this view. @param {string} href @param {boolean} isHere @param {Record<string, unknown>} props @param {import("./dom.js").Child[]} children */
const linkTo = (href, isHere, props, ...children) =>
  h("a", { href, ariaCurrent: isHere ? "true" : null, ...props }, children);

/** `#channels`, `#channels/NAME`, `#channels/ws`. @type {import("./main.js").View["mount"]} */
export async function mount(root, place) {
  const isSocket = place === "ws";
  const chosen = place.replace(/\/$/, "");
  const tabs = [
    linkTo("#channels", !isSocket, {}, t("Channels")),
    linkTo("#channels/ws", isSocket, {}, "WebSocket"),
  ];
  put(root, [h("nav", { className: "tabs", ariaLabel: t("Channels and WebSocket") }, tabs)]);
  if (isSocket) return mountSocket(root);

  const other = h("input", { value: "demo", required: true, ariaLabel: t("A channel's name") });
  const watch = h("form", { className: "bar" }, other, h("button", {}, t("Watch")));
  watch.onsubmit = (event) => {
    event.preventDefault();
    location.hash = placeOf(other.value.trim());
  };
  const list = h("ul", { ariaLabel: t("Channels") });
  const detail = h("div", { className: "panel" });
  put(root, [h("div", { className: "split" }, h("div", { className: "panel" }, watch, list), detail)]);

  /** The rows by their names: they stay the same elements. @type {Map<string, HTMLElement>} */
  const rows = new Map();
  const leave = onServer(() => {
    const shown = listOf("channels").map(({ name, events, readers }) => {
      const made = linkTo(placeOf(name), name === chosen, { className: "choice" }, name, h("small", {}));
      const row = rows.get(name) ?? h("li", {}, made);
      rows.set(name, row);
      const had = events === 1 ? t("1 event") : t("{n} events", { n: count(events) });
      const has = readers === 1 ? t("1 reader") : t("{n} readers", { n: count(readers) });
      /** @type {Element} */ (row.querySelector("small")).textContent = readers === null
        ? had
        : `${had} · ${has}`;
      return row;
    });
    arrange(list, shown);
  });
  if (chosen !== "") {
    const end = await mountEvents(detail, chosen);
    return () => (leave(), end());
  }
  const about = t(
    "What is published in a channel comes to all who watch it. An event, or a reader, makes a channel:",
  );
  put(detail, [empty(about, `curl -d '{"value":1}' ${location.origin}/channels/demo`)]);
  return leave;
}
