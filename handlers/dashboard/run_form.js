import { ask } from "./api.js";
import { fill, h } from "./dom.js";
import { listOf } from "./server.js";
import { t } from "./words.js";

/** @param {string} label @param {string} name @param {number} max @param {number} value */
const whole = (label, name, max, value) =>
  h("label", {}, label, h("input", { name, type: "number", required: true, min: 0, max, value }));

/** What each route asks for; the names are those of its parameters. @type {Record<string, () => import("./dom.js").Child[]>} */
const fields = {
  "/stream": () => [
    whole(t("Steps"), "count", 1_000_000, 30),
    whole(t("ms a step"), "interval", 60_000, 1_000),
    h("label", {}, h("input", { name: "request", type: "checkbox", value: "false" }), t("without requests")),
  ],
  "/concurrent_stream": () => [
    h(
      "label",
      {},
      t("Tasks, a line each: name, steps, ms a step"),
      h("textarea", {
        name: "task",
        rows: 3,
        required: true,
        value: "build:20:500\ntest:10:1500\ndeploy:5:3000",
      }),
    ),
  ],
};

/** A name that no run has. */
function freeName() {
  let n = 1;
  while (listOf("runs").some(({ name }) => name === `run-${n}`)) n++;
  return `run-${n}`;
}

/** The form that starts a run. */
export function runForm() {
  const name = h("input", { name: "run", required: true, maxLength: 64, value: freeName() });
  const route = h("select", {}, Object.keys(fields).map((path) => h("option", {}, path)));
  const params = h("div", { className: "bar" });
  const problem = h("p", { role: "alert" });
  route.onchange = () => fill(params, fields[route.value]());
  fill(params, fields["/stream"]());
  const form = h(
    "form",
    { className: "panel" },
    h("div", { className: "bar" }, h("label", {}, t("Name"), name), h("label", {}, t("Route"), route)),
    params,
    h("div", { className: "bar" }, h("button", { className: "primary" }, t("Start the run")), problem),
  );
  form.onsubmit = async (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    for (const [key, value] of new FormData(form)) {
      for (const line of String(value).split(/\s*\n\s*/)) if (line !== "") query.append(key, line);
    }
    try {
      if (listOf("runs").some((run) => run.name === name.value)) throw new Error(t("This name is taken."));
      // The run goes on without this reader.
      const reader = new AbortController();
      await ask(`${route.value}?${query}`, { signal: reader.signal });
      reader.abort();
      problem.textContent = "";
      name.value = freeName();
    } catch (error) {
      problem.textContent = /** @type {Error} */ (error).message;
    }
  };
  return h("details", { open: listOf("runs").length === 0 }, h("summary", {}, t("Start a run")), form);
}
