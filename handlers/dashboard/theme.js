/** What is drawn by hand, and so has to be drawn again. @type {Set<() => void>} */
const listeners = new Set();
const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

/** Until they change. @type {Map<string, string>} */
const colours = new Map();

function changed() {
  colours.clear();
  for (const listener of listeners) listener();
}

/** Light or dark, as chosen here before, else as the system has it. */
export function loadTheme() {
  const theme = localStorage.getItem("theme");
  if (theme !== null) root.dataset.theme = theme;
  system.addEventListener("change", changed);
}

/** From light to dark, or back. */
export function switchTheme() {
  const isDark = root.dataset.theme === undefined ? system.matches : root.dataset.theme === "dark";
  localStorage.setItem("theme", root.dataset.theme = isDark ? "light" : "dark");
  changed();
}

/** Calls `listener` whenever the colours have changed. @param {() => void} listener @param {AbortSignal} signal */
export function onTheme(listener, signal) {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
}

/** A colour of the style's, as a canvas takes it. @param {string} name As in `--series-1`. */
export function colour(name) {
  let found = colours.get(name);
  if (found === undefined) {
    const probe = document.createElement("i");
    probe.style.color = `var(${name})`;
    root.append(probe);
    colours.set(name, found = getComputedStyle(probe).color);
    probe.remove();
  }
  return found;
}
