import type { CommonFields, DeclaredSensor, Fields } from "./declared.ts";

/** A sensor whose values are posted. */
export function pushSensor(_fields: Fields, common: CommonFields): DeclaredSensor["make"] {
  return () => ({ ...common, push: true });
}
