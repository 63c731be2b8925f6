import { ask, getJson } from "./api.js";
import { fill, h } from "./dom.js";
import { field } from "./fields.js";
import { listOf } from "./server.js";
import { t } from "./words.js";

/** Parameters that the form has a field of its own for, and those of every stream. */
const others = ["run", "format", "after", "lastEventId"];

/** A name that no run has. */
function freeName() {
  let n = 1;
  while (listOf("runs").some(({ name }) => name === `run-${n}`)) n++;
  return `run-${n}`;
}

/** The form that starts a run, of any route that takes `run`. */
export function runForm() {
  const name = h("input", { value: freeName(), autocomplete: "off" });
  const route = h("select");
  const params = h("div", { className: "panel" });
  const problem = h("p", { role: "alert" });
  const bar = h("div", { className: "bar" }, [
    h("label", {}, t("Name"), " ", name),
    h("label", {}, t("Route"), " ", route),
    h("button", { className: "primary" }, t("Start the run")),
  ]);
  const form = h("form", { className: "panel", noValidate: true }, bar, params, problem);
  /** @type {ReturnType<typeof field>[]} */
  let fields = [];

  async function load() {
    /** @type {import("./routes.js").Route[]} */
    const all = await getJson("/");
    const routes = all.filter(({ params }) =>
      params.some((param) => param.name === "run" && !param.repeatable)
    );
    fill(route, routes.map(({ path }) => h("option", {}, path)));
    route.onchange = () => {
      const { params: own = [] } = routes.find(({ path }) => path === route.value) ?? {};
      fields = own.filter((param) => !others.includes(param.name)).map((param) => field(param, []));
      fill(params, fields.map(({ element }) => element));
    };
    route.onchange(new Event("change"));
  }

  form.onsubmit = async (event) => {
    event.preventDefault();
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
