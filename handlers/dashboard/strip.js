import { getJson, who } from "./api.js";
import { fill, h } from "./dom.js";
import { onFeed, retry } from "./feed.js";
import { counts, onServer } from "./server.js";
import { count, span } from "./units.js";
import { other, switchLanguage, t } from "./words.js";

/** When the server started, in ms since 1970. */
let started = NaN;

/** @param {import("./feed.js").FeedState} state */
function stateOf({ state, until, reason, missed }) {
  if (state === "denied") return { sign: "✕", kind: "failed", text: t("no longer allowed") };
  if (state === "hidden") return { sign: "‖", kind: "quiet", text: t("paused while hidden") };
  if (state === "connecting") return { sign: "○", kind: "quiet", text: t("connecting") };
  if (state === "waiting") {
    const text = t("reconnecting in {time}", { time: span(until - Date.now()) });
    return { sign: "↻", kind: "stale", text: reason === "" ? text : `${text}: ${reason}` };
  }
  if (missed === 0) return { sign: "●", kind: "live", text: t("live") };
  return {
    sign: "●",
    kind: "stale",
    text: missed === null ? t("live, some were missed") : t("live, missed {n}", { n: count(missed) }),
  };
}

function nextTheme() {
  const isDark = document.documentElement.dataset.theme === "dark" ||
    (document.documentElement.dataset.theme === undefined &&
      matchMedia("(prefers-color-scheme: dark)").matches);
  return isDark ? "light" : "dark";
}

/** Light or dark, as chosen here before, else as the system has it. */
export function loadTheme() {
  const theme = localStorage.getItem("theme");
  if (theme !== null) document.documentElement.dataset.theme = theme;
}

/** The status strip: how the connection is, what the server has open, who is signed in. */
export function drawStrip() {
  const strip = /** @type {HTMLElement} */ (document.getElementById("strip"));
  const live = h("span", { role: "status", className: "live" });
  const open = h("span", { className: "counts" });
  const up = h("span", { className: "uptime" });
  const { name, expires } = who();
  const theme = h("button", {
    className: "quiet",
    "aria-label": t("Light or dark"),
    title: t("Light or dark"),
  }, "◐");
  theme.onclick = () => localStorage.setItem("theme", document.documentElement.dataset.theme = nextTheme());
  fill(
    strip,
    h("a", { href: "#overview", className: "brand" }, h("b", {}, "weir"), h("span", {}, location.host)),
    live,
    open,
    up,
    h("span", { className: "grow" }),
    name !== null && h("span", { className: "who", title: expires ?? "" }, name),
    name !== null && h("button", { className: "quiet", onclick: signOut }, t("Sign out")),
    h("button", { className: "quiet", lang: other.code, onclick: switchLanguage }, other.name),
    theme,
  );

  /** @type {import("./feed.js").FeedState} */
  let state;
  const draw = () => {
    const { sign, kind, text } = stateOf(state);
    // A live region speaks whenever it changes: only where it says something else.
    if (live.dataset.kind + live.title === kind + text) return;
    live.dataset.kind = kind;
    live.title = text;
    fill(live, h("span", { "aria-hidden": "true" }, sign), " ", text);
    if (state.state === "waiting") {
      live.append(" ", h("button", { className: "quiet", onclick: retry }, t("now")));
    }
    if (state.state === "denied") live.append(" ", h("a", { href: "/session" }, t("sign in")));
  };
  onFeed((next) => {
    const isBack = next.state === "live" && state?.state !== "live";
    state = next;
    draw();
    if (isBack) void loadUptime();
  });
  onServer(() => {
    const shown =
      /** @type {const} */ ([["streams", t("streams")], ["sockets", t("sockets")], ["runs", t("runs")], [
        "downloads",
        t("downloads"),
      ]]);
    fill(
      open,
      shown.map(([key, word]) => h("span", {}, h("b", {}, count(Number(counts[key] ?? 0))), ` ${word}`)),
    );
    if (counts.draining) open.append(h("span", { "data-kind": "stale" }, t("shutting down")));
  });
  const drawTime = () => {
    if (!Number.isNaN(started)) up.textContent = t("up {time}", { time: span(Date.now() - started) });
    if (state.state === "waiting") draw();
  };
  const loadUptime = async () => {
    const { uptime } = await getJson("/healthz").catch(() => ({}));
    if (uptime !== undefined) started = Date.now() - uptime * 1_000;
    drawTime();
  };
  setInterval(drawTime, 1_000);
}

async function signOut() {
  await fetch("/session", { method: "DELETE" });
  location.reload();
}
