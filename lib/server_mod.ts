/**
 * Weir's server in a program of one's own: services, routes, listening again, drain.
 *
 * @example
 * ```ts
 * import { App, Limits, MemoryStore, type Route, Server } from "@weir/weir/server";
 * import { streamResponse } from "@weir/weir";
 *
 * const routes: Route[] = [{
 *   method: "GET",
 *   path: "/hello",
 *   handler: (_request, context) =>
 *     streamResponse(context, async function* () {
 *       yield { data: "hello" };
 *     }),
 *   description: "says hello",
 *   example: "/hello",
 * }];
 * const limits = new Limits({ streams: 100 });
 * const config = {
 *   host: "127.0.0.1",
 *   port: 0,
 *   files: "/srv/files",
 *   logs: ["/var/log/app"],
 *   followLinks: false,
 *   sensors: null,
 *   upstream: null,
 *   clientShare: 0,
 *   drain: 10,
 *   accessLog: "/var/log/app/access.log",
 *   limits,
 * };
 * const app = new App(config, new MemoryStore(limits));
 * const server = new Server(app, routes);
 * const port = server.listen(config.host, config.port);
 * app.origin = `http://127.0.0.1:${port}`;
 * server.services.start(app.sensors);
 * await server.close(); // drains first
 * ```
 *
 * @module
 */
export { App } from "./app.ts";
export type { Certificate } from "./certificate.ts";
export { MemoryStore } from "./channels/memory_store.ts";
export type { Config } from "./config.ts";
export { type Context, described, type Handler, type Route } from "./handler.ts";
export type { Access, Answer, Answers, Description, Schema } from "./http/description.ts";
export { either, jsonAnswer, list, object, streamAnswers } from "./http/answers.ts";
export type { Param, ValueSchema } from "./http/params.ts";
export {
  bool,
  flag,
  int,
  line,
  many,
  oneOf,
  parsed,
  required,
  segment,
  streamParams,
  text,
} from "./http/params.ts";
export { Guard } from "./http/auth/guard.ts";
export { readGuard, type TokenSources } from "./http/auth/read_guard.ts";
export { Limits } from "./limits.ts";
export type { DeclaredSensor } from "./sensors/declared.ts";
export { Server } from "./server.ts";
export type { Service } from "./service.ts";
