import { h, put } from "./dom.js";

/** @type {import("./main.js").View["mount"]} */
export function mount(root, place) {
  put(root, [h("p", {}, "files " + place)]);
  return () => {};
}
