import { getJson } from "./api.js";
import { chart } from "./chart.js";
import { empty, h, oncePerFrame, put } from "./dom.js";
import { onFeed } from "./feed.js";
import { Readings } from "./readings.js";
import { runCards } from "./run_card.js";
import { listOf, onServer } from "./server.js";
import { tail } from "./tail.js";
import { onTheme } from "./theme.js";
import { sparkSeconds, tile } from "./tile.js";
import { count } from "./units.js";
import { t } from "./words.js";

/** Sensors that are live at once: one stream has up to 32 sources, and others are on this page. */
const mostLive = 24;
/** Runs that are shown. */
const mostRuns = 4;
/** ms between two looks at the other sensors that are on the screen. */
const restMs = 10_000;

/** @typedef {import("./readings.js").Latest} Latest */

/** @type {import("./main.js").View["mount"]} */
export async function mount(root, place) {
  /** What ends with the view. @type {(() => void)[]} */
  const ends = [];
  const tiles = h("div", { className: "tiles" });
  const rest = h("p", { className: "caption", hidden: true });
  const figure = h("section", { className: "chart", "aria-label": t("Chart") });
  const logs = h("section", { className: "panel", "aria-label": t("Last lines") });
  const runs = h("ul", { className: "runs" });
  const noRun = h(
    "p",
    { className: "caption" },
    t("Nothing runs now. "),
    h("a", { href: "#runs" }, t("Start a run")),
  );
  put(root, [
    tiles,
    rest,
    h(
      "div",
      { className: "below" },
      figure,
      h(
        "div",
        { className: "panel side" },
        logs,
        h("section", { className: "panel", "aria-label": t("Runs") }, h("h2", {}, t("Runs")), noRun, runs),
      ),
    ),
  ]);
  ends.push(tail(logs));

  const cards = runCards(runs, true, mostRuns);
  ends.push(
    cards.end,
    onServer(() => {
      const running = listOf("runs").filter(({ state }) => state === "running");
      cards.show(running);
      noRun.hidden = running.length > 0;
    }),
  );

  /** @typedef {{ readings: Readings, view: ReturnType<typeof tile>, isLive: boolean, isDirty: boolean }} Shown */
  /** @type {Map<string, Shown>} */
  let sensors = new Map();
  /** On the screen. @type {Set<string>} */
  const visible = new Set();
  let chosen = "";
  const large = await chart(figure);
  ends.push(large.end);

  const draw = oncePerFrame(() => {
    for (const each of sensors.values()) {
      if (each.isDirty) each.view.draw();
      each.isDirty = false;
    }
  });

  /** @param {Shown} each */
  function changed(each) {
    each.isDirty = true;
    draw();
    if (each.readings.latest.id === chosen) large.draw();
  }

  /** Watches what is on the screen, and the one that is chosen. */
  function update() {
    const wanted = new Set(
      [chosen, ...[...sensors.keys()].filter((id) => visible.has(id))].slice(0, mostLive),
    );
    for (const [id, each] of sensors) {
      if (wanted.has(id) === each.isLive) continue;
      each.isLive = !each.isLive;
      if (!each.isLive) each.readings.stop();
      else each.readings.start(sparkSeconds, () => changed(each)).catch(() => each.isLive = false);
    }
    const left = visible.size - [...visible].filter((id) => wanted.has(id)).length;
    rest.hidden = left === 0;
    rest.textContent = t("{n} of these are read every 10 s", { n: count(left) });
  }

  /** @param {string} id */
  async function choose(id) {
    const each = sensors.get(id);
    if (each === undefined) return;
    chosen = id;
    history.replaceState(null, "", `#overview/${encodeURIComponent(id)}`);
    for (const [other, { view }] of sensors) view.element.setAttribute("aria-pressed", String(other === id));
    update();
    large.show(each.readings);
    await each.readings.extend().catch(() => {});
    if (chosen === id) large.draw();
  }

  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const id = /** @type {HTMLElement} */ (target).dataset.id ?? "";
      if (isIntersecting) visible.add(id);
      else visible.delete(id);
    }
    update();
  });
  ends.push(() => observer.disconnect());

  /** Shows these sensors, in place of others. @param {Latest[]} list */
  function show(list) {
    for (const { readings } of sensors.values()) readings.stop();
    observer.disconnect();
    visible.clear();
    sensors = new Map(list.map((latest) => {
      const readings = new Readings(latest);
      const view = tile(readings, () => {
        void choose(latest.id);
        figure.scrollIntoView({ block: "nearest" });
      });
      view.element.dataset.id = latest.id;
      return [latest.id, { readings, view, isLive: false, isDirty: true }];
    }));
    tiles.replaceChildren(...[...sensors.values()].map(({ view }) => view.element));
    if (list.length === 0) {
      tiles.append(
        empty(
          t("No sensor. Sensors are what --sensors FILE declares."),
          "deno task start --sensors sensors.json",
        ),
      );
    }
    for (const { view } of sensors.values()) observer.observe(view.element);
    draw();
  }

  /** Asks for all: whether there are others, and the values of those that are not live. */
  async function refresh() {
    /** @type {Latest[]} */
    const list = await getJson("/sensors");
    if (list.map(({ id }) => id).join() !== [...sensors.keys()].join()) {
      show(list);
      const wanted = chosen || decodeURIComponent(place);
      await choose(sensors.has(wanted) ? wanted : list[0]?.id);
    }
    for (const latest of list) {
      const each = sensors.get(latest.id);
      if (each === undefined || each.isLive) continue;
      each.readings.latest = latest;
      changed(each);
    }
  }

  await refresh();
  let was = "";
  ends.push(
    // Another server may have other sensors: then the stream is refused, or has come back.
    onFeed(({ state, reason }) => {
      if (state !== was && was !== "" && (state === "live" || reason !== "")) refresh().catch(() => {});
      was = state;
    }),
    onTheme(() => {
      for (const each of sensors.values()) changed(each);
    }),
    () => {
      for (const { readings } of sensors.values()) readings.stop();
    },
  );
  const timer = setInterval(() => {
    if (!rest.hidden && !document.hidden) refresh().catch(() => {});
  }, restMs);
  ends.push(() => clearInterval(timer));
  return () => {
    for (const end of ends) end();
  };
}
