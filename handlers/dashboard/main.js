import { loadSession } from "./api.js";
import { alert, fill, h } from "./dom.js";
import { listenToKeys, onKey } from "./keys.js";
import { watchServer } from "./server.js";
import { drawStrip } from "./strip.js";
import { loadTheme } from "./theme.js";
import { loadWords, t } from "./words.js";

/** A view fills the page until the signal. `place` follows its name in the address (`#logs/app.log`). @typedef {{ mount: (root: HTMLElement, place: string, signal: AbortSignal) => void | Promise<void> }} View */

loadTheme();
await Promise.all([loadWords(), loadSession()]);

/** @type {Record<string, [title: string, load: () => Promise<View>]>} */
const views = {
  overview: [t("Overview"), () => import("./overview.js")],
  logs: [t("Logs"), () => import("./logs.js")],
  runs: [t("Runs"), () => import("./runs.js")],
  files: [t("Files"), () => import("./files.js")],
  channels: [t("Channels"), () => import("./channels.js")],
  routes: [t("Routes"), () => import("./routes.js")],
};

/** @type {HTMLElement[]} */
const [skip, nav, main] = Array.from(document.querySelectorAll(".skip, #views, #main"));

/** Ends the view that is shown. */
let over = new AbortController();
/** Of the newest change of the address: an older view that still loads is not shown. */
let turn = 0;

async function route() {
  const [id, ...rest] = location.hash.slice(1).split("/");
  const name = Object.hasOwn(views, id) ? id : "overview";
  const [title, load] = views[name];
  const mine = ++turn;
  for (const link of nav.querySelectorAll("a")) {
    link.ariaCurrent = link.hash === `#${name}` ? "page" : null;
  }
  document.title = `${title} · Weir`;
  const view = await load();
  if (mine !== turn) return;
  const chosen = document.activeElement?.getAttribute("href") ?? null;
  over.abort();
  const { signal } = over = new AbortController();
  const root = h("section", { className: `view ${name}`, ariaLabel: title });
  fill(main, root);
  try {
    await view.mount(root, rest.join("/"), signal);
  } catch (error) {
    root.append(alert(/** @type {Error} */ (error)));
  }
  // A link to another place of the view stays what has the focus.
  if (signal.aborted || chosen === null || document.activeElement !== document.body) return;
  /** @type {HTMLElement | null} */ (root.querySelector(`a[href="${CSS.escape(chosen)}"]`))?.focus();
}

drawStrip();
fill(nav, Object.entries(views).map(([name, [title]]) => h("a", { href: `#${name}` }, title)));
nav.ariaLabel = t("Views");
skip.textContent = t("Skip to content");
// The address says which view is shown.
skip.onclick = (/** @type {MouseEvent} */ event) => {
  event.preventDefault();
  main.focus();
};
listenToKeys();
Object.entries(views).forEach(([name, [title]], i) =>
  onKey(String(i + 1), title, null, () => location.hash = name)
);
watchServer();
addEventListener("hashchange", route);
// Only a dialog's form is sent, to close it.
addEventListener("submit", (event) => {
  if (/** @type {HTMLFormElement} */ (event.target).method !== "dialog") event.preventDefault();
});
await route();
// A click then needs no server: it may be away.
await Promise.all(Object.values(views).map(([, load]) => load()));
