import { ask, may } from "./api.js";
import { h, put } from "./dom.js";
import { newest, row } from "./newest.js";
import { t } from "./words.js";

/** Close codes in words (RFC 6455, 7.4.1). @param {number} code */
function inWords(code) {
  /** @type {Record<number, string>} */
  const words = {
    1000: t("complete"),
    1001: t("the server shuts down"),
    1006: t("cut, without a close"),
    1008: t("refused"),
    1009: t("the message is too large"),
    1011: t("an error in the server"),
    1013: t("too much at once, try again later"),
  };
  return words[code] ?? "";
}

/** Connects, sends, shows the frames of both ways, and says how it was closed. @param {HTMLElement} root */
export function mountSocket(root) {
  const channel = h("input", { placeholder: t("none"), size: 12, autocomplete: "off" });
  const delay = h("input", { type: "number", min: "0", max: "10000", placeholder: "0" });
  const connect = h("button", { className: "primary" }, t("Connect"));
  const state = h("span", { role: "status" });
  const text = h("input", { value: "hello", "aria-label": t("Message"), className: "grow" });
  const send = h("button", {}, t("Send"));
  const { element, add } = newest(
    t("Frames, the newest first"),
    t("Connect and send: the frames of both ways show here."),
  );
  const connecting = h(
    "form",
    { className: "bar", noValidate: true },
    h("label", {}, t("channel"), " ", channel),
    h("label", {}, t("work a message, in ms"), " ", delay),
    connect,
    state,
  );
  const sending = h("form", { className: "bar" }, text, send);
  const about = t(
    "Each message is processed, and answered in order. With a channel it is published there, and what others publish comes.",
  );
  put(root, [h("div", { className: "panel" }, h("p", {}, about), connecting, sending, element)]);

  /** @type {WebSocket | null} */
  let socket = null;
  const frame = (/** @type {string} */ sign, /** @type {string} */ label, /** @type {string} */ content) =>
    add(row(new Date(), content, h("b", { role: "img", "aria-label": label, title: label }, sign)));
  const say = (/** @type {string} */ words, kind = "") => {
    state.textContent = words;
    state.dataset.kind = kind;
    // What is sent to a channel is published there.
    const isOffered = may("publish") || socket?.url.includes("channel=") === false;
    send.disabled = socket?.readyState !== WebSocket.OPEN || !isOffered;
    connect.textContent = socket === null ? t("Connect") : t("Close");
  };
  say(t("not connected"));
  connecting.onsubmit = (event) => {
    event.preventDefault();
    if (socket !== null) return socket.close(1000);
    const given = Object.entries({ channel: channel.value, delay: delay.value }).filter(([, value]) => value);
    open(`/ws?${new URLSearchParams(given)}`);
  };
  function open(/** @type {string} */ path) {
    let wasOpen = false;
    socket = new WebSocket(path);
    say(t("connecting"));
    socket.onopen = () => {
      wasOpen = true;
      say(t("open"));
      text.focus();
    };
    socket.onmessage = ({ data }) => frame("↓", t("received"), data.trimEnd());
    socket.onclose = async ({ code, reason }) => {
      socket = null;
      if (!wasOpen) {
        // A browser does not tell why an upgrade was refused: the same URL as a request does.
        const refused = await ask(path).catch((error) => error);
        return say(refused.status === 426 ? inWords(code) : refused.message, "failed");
      }
      const words = `${t("closed")}: ${code} ${inWords(code)}`;
      say(reason === "" ? words : `${words}: ${reason}`, code === 1000 ? "" : "failed");
    };
  }
  sending.onsubmit = (event) => {
    event.preventDefault();
    if (socket === null || send.disabled) return;
    socket.send(text.value);
    frame("↑", t("sent"), text.value);
    text.select();
  };
  return () => {
    if (socket !== null) socket.onclose = socket.onmessage = socket.onopen = null;
    socket?.close(1000);
  };
}
