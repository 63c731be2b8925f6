export { granted } from "../../lib/granted.ts";
