import { getJson, session } from "./api.js";
import { fill, h, quiet } from "./dom.js";
import { showKeys } from "./keys.js";
import { acknowledge, onFeed, retry } from "./feed.js";
import { counts, onServer } from "./server.js";
import { switchTheme } from "./theme.js";
import { count, fullTime, span } from "./units.js";
import { other, switchLanguage, t } from "./words.js";

/** ms for which the strip says that something was missed. */
const missedMs = 60_000;
/** When the server started, in ms since 1970. */
let started = NaN;

/** @typedef {import("./feed.js").FeedState} FeedState */

/** The state's sign, what it means, and its word, which a screen reader speaks. @param {FeedState} state */
function stateOf({ state, reason, missed }) {
  if (state === "denied") return ["✕", "failed", t("no longer allowed")];
  if (state === "hidden") return ["‖", "quiet", reason || t("paused while hidden")];
  if (state === "connecting") return ["○", "quiet", t("connecting")];
  const shutdown = t("the server is shutting down");
  const why = reason === "shutdown" ? shutdown : reason || t("reconnecting");
  if (state === "waiting") return ["↻", "stale", why];
  if (counts.draining) return ["◌", "stale", shutdown];
  if (missed === 0) return ["●", "live", t("live")];
  const some = t("live, some were missed");
  return ["●", "stale", missed === null ? some : t("live, missed {n}", { n: count(missed) })];
}

/** How the connection is, and what one can do about it. */
function liveness() {
  const word = h("span", { role: "status", className: "live" });
  // Changes each second: it is not for the live region.
  const when = h("span", {});
  const [now, seen] = [quiet(t("now"), retry), quiet(t("seen"), acknowledge)];
  const signIn = h("a", { href: "/session" }, t("sign in"));
  /** @type {FeedState} */
  let state;
  let timer = 0;
  const draw = () => {
    const [sign, kind, text] = stateOf(state);
    // A live region speaks whenever it changes: only where it says something else.
    if (word.dataset.kind + word.title !== kind + text) {
      word.dataset.kind = kind;
      word.title = text;
      fill(word, h("span", { "aria-hidden": "true" }, sign), " ", text);
    }
    const isWaiting = state.state === "waiting";
    when.textContent = isWaiting ? t("in {time}", { time: span(state.until - Date.now()) }) : "";
    now.hidden = when.hidden = !isWaiting;
    seen.hidden = state.state !== "live" || state.missed === 0;
    signIn.hidden = state.state !== "denied";
  };
  onFeed((next) => {
    const isBack = next.state === "live" && state?.state !== "live";
    if (next.missed !== 0 && next.missed !== state?.missed) {
      clearTimeout(timer);
      timer = setTimeout(acknowledge, missedMs);
    }
    state = next;
    draw();
    if (isBack) void loadUptime();
  });
  onServer(draw);
  setInterval(draw, 1_000);
  return h("span", { className: "liveness" }, word, when, now, seen, signIn);
}

async function loadUptime() {
  const { uptime } = await getJson("/healthz").catch(() => ({}));
  if (uptime !== undefined) started = Date.now() - uptime * 1_000;
}

/** What is open, by the names that the server counts it by. @type {Record<string, (isOne: boolean) => string>} */
const shown = {
  streams: (isOne) => isOne ? t("stream") : t("streams"),
  sockets: (isOne) => isOne ? t("socket") : t("sockets"),
  runs: (isOne) => isOne ? t("run") : t("runs"),
  downloads: (isOne) => isOne ? t("download") : t("downloads"),
};

function openCounts() {
  const all = h("span", { className: "counts" });
  const one = (/** @type {string} */ key, n = Number(counts[key] ?? 0)) =>
    h("span", {}, h("b", {}, count(n)), ` ${shown[key](n === 1)}`);
  onServer(() => fill(all, Object.keys(shown).map((key) => one(key))));
  return all;
}

function uptime() {
  const text = h("span", { className: "uptime" });
  setInterval(() => {
    if (Number.isNaN(started)) return;
    text.textContent = t("up {time}", { time: span(Date.now() - started) });
    text.title = fullTime(started);
  }, 1_000);
  return text;
}

const signOut = () => fetch("/session", { method: "DELETE" }).finally(() => location.reload());

/** The status strip: how the connection is, what the server has open, who is signed in. */
export function drawStrip() {
  const { name, rights, expires } = session;
  const theme = t("Light or dark");
  const until = expires === null ? "" : t("until {time}", { time: fullTime(expires) });
  fill(
    /** @type {HTMLElement} */ (document.getElementById("strip")),
    h("a", { href: "#overview", className: "brand" }, h("b", {}, "weir"), h("span", {}, location.host)),
    liveness(),
    openCounts(),
    uptime(),
    h("span", { className: "grow" }),
    name !== null && h("span", { className: "who", title: `${rights.join(", ")} ${until}`.trim() }, name),
    name !== null && quiet(t("Sign out"), signOut),
    quiet(other.name, switchLanguage, { lang: other.code }),
    quiet("◐", switchTheme, { ariaLabel: theme, title: theme }),
    quiet("?", showKeys, { ariaLabel: t("Keys"), title: t("Keys") }),
  );
}
