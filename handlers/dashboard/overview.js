import { getJson } from "./api.js";
import { chart } from "./chart.js";
import { decoded, empty, every, fill, h } from "./dom.js";
import { onFeed } from "./feed.js";
import { runCards } from "./run_card.js";
import { tail } from "./tail.js";
import { onTheme } from "./theme.js";
import { sparkSeconds, tile } from "./tile.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** Sensors that are live at once, as one stream has up to 32 sources, and runs that are shown. */
const [mostLive, mostRuns] = [24, 4];
/** ms between two looks at the others on the screen. */
const restMs = 10_000;

/** @type {import("./main.js").View["mount"]} */
export function mount(root, place, signal) {
  const grid = h("div", { className: "tiles" });
  const rest = h("p", { className: "caption", hidden: true });
  const figure = h("section", { className: "chart", ariaLabel: t("Chart") });
  const logs = h("section", { className: "panel", ariaLabel: t("Last lines") });
  const start = h("a", { href: "#runs" }, t("Start a run"));
  const noRun = h("p", { className: "caption" }, t("Nothing runs now."), " ", start);
  const list = h("ul", { className: "runs" });
  const title = h("h2", {}, t("Runs"));
  const runs = h("section", { className: "panel", ariaLabel: t("Runs") }, title, noRun, list);
  const side = h("div", { className: "panel side" }, logs, runs);
  const what = t(
    "Weir serves async generators as live streams. This page watches it; try its streams, and yours, in",
  );
  const about = h("p", { className: "caption" }, what, " ", h("a", { href: "#routes" }, t("Routes")));
  root.append(about, grid, rest, h("div", { className: "below" }, figure, side));

  const large = chart(figure, signal);
  let tiles = /** @type {Map<string, ReturnType<typeof tile>>} */ (new Map());
  /** On the screen. @type {Set<string | undefined>} */
  const visible = new Set();
  let chosen = "";

  function changed(/** @type {{ draw: () => void, readings: import("./readings.js").Readings }} */ each) {
    each.draw();
    if (each.readings.latest.id === chosen) large.draw();
  }

  /** Watches the one that is chosen, and what is on the screen. */
  function update() {
    const wanted = new Set([chosen, ...[...tiles.keys()].filter((id) => visible.has(id))].slice(0, mostLive));
    for (const [id, each] of tiles) {
      const { readings } = each;
      const seconds = id === chosen ? Infinity : sparkSeconds;
      if (!wanted.has(id)) readings.stop();
      else if (!readings.isLive) readings.start(seconds, () => changed(each)).catch(() => readings.stop());
    }
    const n = visible.size - [...wanted].filter((id) => visible.has(id)).length;
    rest.hidden = n === 0;
    rest.textContent = t("{n} of these are read every 10 s", { n: count(n) });
  }

  function choose(/** @type {string} */ id) {
    const each = tiles.get(id);
    if (each === undefined) return;
    chosen = id;
    for (const [other, { element }] of tiles) element.ariaPressed = String(other === id);
    // Anew, as the chart wants all that there is.
    each.readings.stop();
    update();
    large.show(each.readings);
  }

  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const { id } = /** @type {HTMLElement} */ (target).dataset;
      visible[isIntersecting ? "add" : "delete"](id);
    }
    update();
  });

  function end() {
    for (const { readings } of tiles.values()) readings.stop();
    observer.disconnect();
    visible.clear();
  }

  /** Shows these sensors, in place of others. @param {import("./readings.js").Latest[]} list */
  function show(list) {
    end();
    tiles = new Map(list.map((sensor) => {
      const made = tile(sensor, () => {
        history.replaceState(null, "", `#overview/${encodeURIComponent(sensor.id)}`);
        choose(sensor.id);
        figure.scrollIntoView({ block: "nearest" });
      });
      made.element.dataset.id = sensor.id;
      observer.observe(made.element);
      return [sensor.id, made];
    }));
    const none = empty(
      t("No sensor. --sensors FILE declares some."),
      "deno task start --sensors sensors.json",
    );
    fill(grid, [...tiles.values()].map(({ element }) => element), list.length === 0 && none);
    const wanted = chosen || decoded(place);
    choose(tiles.has(wanted) ? wanted : list[0]?.id);
  }

  /** Asks for all: whether there are others, and the values of those that are not live. */
  async function refresh() {
    /** @type {import("./readings.js").Latest[]} */
    const list = await getJson("/sensors");
    if (list.map(({ id }) => id).join() !== [...tiles.keys()].join()) show(list);
    for (const latest of list) {
      const each = /** @type {ReturnType<typeof tile>} */ (tiles.get(latest.id));
      if (!each.readings.isLive || each.readings.values.length === 0) each.readings.latest = latest;
      changed(each);
    }
    update();
  }
  const look = () => void refresh().catch(() => {});

  let was = "live";
  every(() => rest.hidden || document.hidden || look(), restMs, signal);
  tail(logs, signal);
  runCards(list, true, mostRuns, signal, (shown) => noRun.hidden = shown > 0);
  // Another server may have other sensors: then the stream is refused, or has come back.
  onFeed(({ state, reason }) => {
    if (state !== was && (state === "live" || reason !== "")) look();
    was = state;
  }, signal);
  onTheme(() => tiles.forEach(changed), signal);
  signal.addEventListener("abort", end);
  look();
}
