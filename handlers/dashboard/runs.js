import { ask, curl, getJson, may } from "./api.js";
import { bar, empty, fill, h, panel, put } from "./dom.js";
import { field } from "./fields.js";
import { runCards } from "./run_card.js";
import { listOf } from "./server.js";
import { t } from "./words.js";

/** Runs that are shown, and watched: one stream has up to 32 sources. */
const most = 24;

/** @type {import("./main.js").View["mount"]} */
export function mount(root, _place, signal) {
  const list = h("ul", { className: "runs" });
  const more = h("p", { className: "caption" });
  const none = empty(
    t("No run yet. A run goes on without its readers; everybody who asks for it gets it from its start."),
    curl("/stream?run=demo&count=30"),
  );
  const denied = h("p", { className: "caption" }, t("To start a run, a token needs the right publish."));
  put(root, [may("publish") ? runForm() : denied, none, list, more]);
  runCards(list, false, most, signal, (shown, all) => {
    none.hidden = shown > 0;
    more.textContent = all > most ? t("and {n} older runs", { n: all - most }) : "";
  });
}

/** Parameters that the form has a field of its own for, and those of every stream. */
const others = ["run", "format", "after", "lastEventId"];

/** A name that no run has. */
function freeName() {
  let n = 1;
  while (listOf("runs").some(({ name }) => name === `run-${n}`)) n++;
  return `run-${n}`;
}

/** The form that starts a run, of any route that takes `run`. */
function runForm() {
  const name = h("input", { value: freeName(), autocomplete: "off" });
  const route = h("select");
  const params = panel();
  const problem = h("p", { role: "alert" });
  const labels = [h("label", {}, t("Name"), " ", name), h("label", {}, t("Route"), " ", route)];
  const head = bar(labels, h("button", { className: "primary" }, t("Start the run")));
  const form = h("form", { className: "panel", noValidate: true }, head, params, problem);
  let fields = /** @type {ReturnType<typeof field>[]} */ ([]);

  async function load() {
    /** @type {import("./routes.js").Route[]} */
    const all = await getJson("/");
    const routes = all.filter(({ params }) => params.some((one) => one.name === "run" && !one.repeatable));
    fill(route, routes.map(({ path }) => h("option", {}, path)));
    route.onchange = () => {
      const { params: own = [] } = routes.find(({ path }) => path === route.value) ?? {};
      fields = own.filter((param) => !others.includes(param.name)).map((param) => field(param, []));
      fill(params, fields.map(({ element }) => element));
    };
    route.onchange(new Event("change"));
  }

  form.onsubmit = async () => {
    const given = fields.flatMap(({ param, read }) => read().map((value) => [param.name, value]));
    try {
      if (listOf("runs").some((run) => run.name === name.value)) throw new Error(t("This name is taken."));
      // The run goes on without this reader.
      const reader = new AbortController();
      const query = new URLSearchParams([["run", name.value], ...given]);
      await ask(`${route.value}?${query}`, { signal: reader.signal });
      reader.abort();
      problem.textContent = "";
      name.value = freeName();
    } catch (error) {
      problem.textContent = /** @type {Error} */ (error).message;
    }
  };
  load().catch(({ message }) => problem.textContent = message);
  return h("details", { open: listOf("runs").length === 0 }, h("summary", {}, t("Start a run")), form);
}
