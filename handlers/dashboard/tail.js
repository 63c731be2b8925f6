import { ask, records, Refused } from "./api.js";
import { fill, h, oncePerFrame } from "./dom.js";
import { watch } from "./feed.js";
import { listOf, onServer } from "./server.js";
import { t } from "./words.js";

const most = 12;

/** What a terminal would obey, and no line shows. */
// deno-lint-ignore no-control-regex -- these are what it is for
const escapes = /\x1b(\[[0-9;?]*[ -\/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|.)/g;

/** The last lines of a log that one chooses; the choice is remembered. @param {HTMLElement} root */
export function tail(root) {
  const select = h("select", { "aria-label": t("Log") });
  const all = h("a", {}, t("all of it"));
  const lines = h("ol", { className: "tail mono" });
  root.append(h("div", { className: "bar" }, h("h2", {}, t("Last lines")), select, all), lines);
  /** @type {{ text: string, kind: string }[]} */
  let shown = [];
  let [chosen, listed] = ["", ""];
  let stop = () => {};

  const draw = oncePerFrame(() =>
    fill(lines, shown.map(({ text, kind }) => h("li", { className: kind, title: text }, text)))
  );

  /** @param {import("./feed.js").Heard[]} heard */
  function add(heard) {
    for (const { event, data } of heard) {
      if (event === "gap") shown.push({ text: t("some lines are missing"), kind: "gap" });
      else if (event === undefined) shown.push({ text: String(data).replace(escapes, ""), kind: "" });
    }
    shown = shown.slice(-most);
    draw();
  }

  /** @param {string} name */
  async function follow(name) {
    stop();
    chosen = name;
    shown = [];
    const place = encodeURIComponent(name);
    all.href = `#logs/${place}`;
    const stopped = new AbortController();
    stop = () => stopped.abort();
    const { signal } = stopped;
    try {
      const response = await ask(`/logs/${place}?lines=${most}&follow=false&format=ndjson`, { signal });
      const heard = [];
      for await (const batch of records(response)) heard.push(...batch);
      if (signal.aborted) return;
      add(heard);
      stop = watch(`log:${name}`, add, heard.findLast(({ id }) => id !== undefined && id !== "end")?.id);
    } catch (error) {
      if (signal.aborted) return;
      shown = [{ text: error instanceof Refused ? error.message : String(error), kind: "refused" }];
      draw();
    }
  }

  const off = onServer(() => {
    const names = listOf("logs").map(({ name }) => name);
    root.hidden = names.length === 0;
    if (names.join("/") !== listed) fill(select, names.map((name) => h("option", {}, name)));
    listed = names.join("/");
    select.value = chosen;
    if (chosen !== "" || names.length === 0) return;
    const remembered = localStorage.getItem("overview.log") ?? "";
    const first = names.find((name) => name !== "access.log") ?? names[0];
    void follow(select.value = names.includes(remembered) ? remembered : first);
  });
  select.onchange = () => {
    localStorage.setItem("overview.log", select.value);
    void follow(select.value);
  };
  return () => {
    off();
    stop();
  };
}
