import { loadSession } from "./api.js";
import { fill, h, put } from "./dom.js";
import { listenToKeys, onKey } from "./keys.js";
import { watchServer } from "./server.js";
import { drawStrip } from "./strip.js";
import { loadTheme } from "./theme.js";
import { loadWords, t } from "./words.js";

/**
 * A view fills the page until what it returned is called. `place` is what follows its name in the address
 * (`#logs/app.log` → `app.log`, as it stands there).
 *
 * @typedef {{ mount: (root: HTMLElement, place: string) => (() => void) | Promise<() => void> }} View
 */

/** @type {Record<string, { title: () => string, load: () => Promise<View> }>} */
const views = {
  overview: { title: () => t("Overview"), load: () => import("./overview.js") },
  logs: { title: () => t("Logs"), load: () => import("./logs.js") },
  runs: { title: () => t("Runs"), load: () => import("./runs.js") },
  files: { title: () => t("Files"), load: () => import("./files.js") },
  channels: { title: () => t("Channels"), load: () => import("./channels.js") },
  routes: { title: () => t("Routes"), load: () => import("./routes.js") },
};

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const nav = /** @type {HTMLElement} */ (document.getElementById("views"));
const skip = /** @type {HTMLElement} */ (document.querySelector(".skip"));

/** Ends the view that is shown. */
let unmount = () => {};
/** Of the newest change of the address: an older view that was still loading is not shown. */
let turn = 0;

async function route() {
  const [id, ...rest] = location.hash.slice(1).split("/");
  const name = Object.hasOwn(views, id) ? id : "overview";
  const mine = ++turn;
  for (const link of nav.querySelectorAll("a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${views[name].title()} · Weir`;
  const view = await views[name].load();
  if (mine !== turn) return;
  const chosen = document.activeElement?.getAttribute("href") ?? null;
  unmount();
  unmount = () => {};
  const root = h("section", { className: `view ${name}`, "aria-label": views[name].title() });
  fill(main, root);
  const end = await (async () => await view.mount(root, rest.join("/")))().catch((error) => {
    put(root, [h("p", { role: "alert" }, error.message)]);
    return () => {};
  });
  if (mine !== turn) return end();
  unmount = end;
  // A link to another place of the view stays what has the focus.
  if (chosen !== null && document.activeElement === document.body) {
    /** @type {HTMLElement | null} */ (root.querySelector(`a[href="${CSS.escape(chosen)}"]`))?.focus();
  }
}

async function begin() {
  loadTheme();
  await Promise.all([loadWords(), loadSession()]);
  drawStrip();
  fill(nav, Object.entries(views).map(([name, { title }]) => h("a", { href: `#${name}` }, title())));
  nav.setAttribute("aria-label", t("Views"));
  skip.textContent = t("Skip to content");
  // The address says which view is shown.
  skip.onclick = (event) => {
    event.preventDefault();
    main.focus();
  };
  listenToKeys();
  Object.entries(views).forEach(([name, { title }], i) =>
    onKey(String(i + 1), title(), () => location.hash = name)
  );
  watchServer();
  addEventListener("hashchange", route);
  await route();
  // A click then needs no server: it may be away.
  await Promise.all(Object.values(views).map(({ load }) => load()));
}

void begin();
