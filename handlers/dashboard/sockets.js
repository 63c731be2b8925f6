import { ask, may } from "./api.js";
import { h, panel } from "./dom.js";
import { newest, row } from "./newest.js";
import { t } from "./words.js";

/** Close codes in words (RFC 6455, 7.4.1). @type {Record<number, () => string>} */
const words = {
  1000: () => t("complete"),
  1001: () => t("the server shuts down"),
  1006: () => t("no connection"),
  1008: () => t("refused"),
  1009: () => t("the message is too large"),
  1011: () => t("an error in the server"),
  1013: () => t("too much at once, try again later"),
};

/** Connects, sends, shows the frames of both ways, and says how it was closed. @param {HTMLElement} root @param {string | undefined} target Another than /ws. @param {AbortSignal} signal */
export function mountSocket(root, target, signal) {
  const channel = h("input", { placeholder: t("none"), size: 12, autocomplete: "off" });
  const delay = h("input", { type: "number", min: "0", max: "10000", placeholder: "0" });
  const labels = [
    h("label", {}, t("channel"), " ", channel),
    h("label", {}, t("work a message, in ms"), " ", delay),
  ];
  const connect = h("button", { className: "primary" });
  const state = h("span", { role: "status" });
  const connecting = h(
    "form",
    { className: "bar", noValidate: true },
    target ? h("code", {}, target) : labels,
    connect,
    state,
  );
  const text = h("input", { value: "hello", ariaLabel: t("Message"), className: "grow" });
  const send = h("button", {}, t("Send"));
  const sending = h("form", { className: "bar" }, text, send);
  const { region, add } = newest(
    t("Frames, the newest last"),
    t("Connect and send: the frames of both ways show here."),
  );
  const about = t(
    "Each message is processed, and answered in order. With a channel it is published there, and what others publish comes.",
  );
  root.append(panel(h("p", { hidden: target !== undefined }, about), connecting, sending, region));

  let socket = /** @type {WebSocket | null} */ (null);
  const frame = (/** @type {string} */ sign, /** @type {string} */ title, /** @type {string} */ content) =>
    add(row(content, undefined, h("b", { role: "img", ariaLabel: title, title }, sign)));
  const say = (/** @type {string} */ words, kind = "") => {
    state.textContent = words;
    state.dataset.kind = kind;
    connect.textContent = socket === null ? t("Connect") : t("Close");
    // What is sent to a channel is published there.
    send.disabled = socket?.readyState !== WebSocket.OPEN || channel.value !== "" && !may("publish");
    for (const field of [channel, delay]) field.disabled = socket !== null;
  };
  say(t("not connected"));
  connecting.onsubmit = () => {
    if (socket !== null) return socket.close(1000);
    const given = Object.entries({ channel: channel.value, delay: delay.value }).filter(([, value]) => value);
    const path = target ?? `/ws?${new URLSearchParams(given)}`;
    socket = new WebSocket(path);
    say(t("connecting"));
    socket.onopen = () => {
      say(t("open"));
      text.focus();
    };
    socket.onmessage = ({ data }) => frame("↓", t("received"), data.trimEnd());
    socket.onclose = async ({ code, reason }) => {
      socket = null;
      // A browser does not tell why an upgrade was refused: the same URL as a request does.
      const refused = code === 1006 && await ask(path).catch((error) => error);
      const why = refused && refused.status !== 426 ? refused.message : reason;
      const said = [t("closed"), `${code} ${words[code]?.() ?? ""}`, why].filter(Boolean).join(": ");
      say(said, code === 1000 ? "" : "failed");
    };
  };
  sending.onsubmit = () => {
    if (socket === null || send.disabled) return;
    socket.send(text.value);
    frame("↑", t("sent"), text.value);
    text.select();
  };
  signal.addEventListener("abort", () => socket?.close(1000));
}
