import { asset, favicon } from "./assets.ts";
import { asyncRoute } from "./async_route.ts";
import { channels, publish, subscribe } from "./channels.ts";
import { concurrentStream } from "./concurrent_stream.ts";
import { dashboard } from "./dashboard.ts";
import { events } from "./events.ts";
import { files } from "./files.ts";
import { health } from "./health.ts";
import { log, logs } from "./logs.ts";
import { asyncDownload, streamFile } from "./named_file.ts";
import { metrics } from "./metrics.ts";
import { openapi } from "./openapi.ts";
import { ownRoutes } from "./own.ts";
import { deleteRun, run, runs } from "./runs.ts";
import { pushReading, sensor, sensorHistory, sensors, sensorStream } from "./sensors.ts";
import { session } from "./session.ts";
import { signIn, signOut } from "./sign_in.ts";
import { stream } from "./stream.ts";
import { makeTicket } from "./tickets.ts";
import { ws } from "./ws.ts";
import type { Route } from "../lib/handler.ts";

/** What is for browsers, before anybody has signed in; then what their pages are made of. */
const signing = { hidden: true, access: "open" } as const;
const forPages = { ...signing, method: "GET", anySite: true } as const;

/** Every URL of Weir. */
export const weirRoutes: Route[] = [
  {
    method: "GET",
    path: "/",
    handler: dashboard,
    description: "the dashboard; as JSON each route, with a curl line, what it takes and answers",
    anySite: true,
  },
  {
    method: "GET",
    path: "/async_route",
    handler: asyncRoute,
    description: "JSON after an asynchronous wait of 100 ms",
  },
  {
    method: "GET",
    path: "/stream",
    handler: stream,
    description: "steps, each a calculation and a real request",
    example: "/stream?count=5&interval=1000",
  },
  {
    method: "GET",
    path: "/concurrent_stream",
    handler: concurrentStream,
    description: "tasks side by side, their progress merged as it happens",
  },
  {
    method: "GET",
    path: "/files/*",
    handler: files,
    description: "the folder of --files: its listings, and files with ranges, validators and resume",
    example: "/files/",
  },
  {
    method: "GET",
    path: "/async_download",
    handler: asyncDownload,
    description: "a file as an attachment",
    example: "/async_download?file={file}",
  },
  {
    method: "GET",
    path: "/stream/file",
    handler: streamFile,
    description: "a file in the response itself",
    example: "/stream/file?file={file}",
  },
  { method: "GET", path: "/logs", handler: logs, description: "the logs; with ?name=a&name=b these, merged" },
  {
    method: "GET",
    path: "/logs/:name",
    handler: log,
    description: "the last lines of a log, then each new one as it is written",
    example: "/logs/access.log?lines=20",
  },
  {
    method: "GET",
    path: "/channels",
    handler: channels,
    description: "the channels, with what each retains",
  },
  {
    method: "GET",
    path: "/channels/:name",
    handler: subscribe,
    description: "each event published from now on",
    example: "/channels/demo",
  },
  {
    method: "POST",
    path: "/channels/:name",
    handler: publish,
    description: "publishes one event, or many, all of them or none",
    example: "/channels/demo",
    access: "publish",
  },
  {
    method: "GET",
    path: "/events",
    handler: events,
    description: "channels, logs, sensors, runs and the server itself in one stream",
    example: "/events?channel=demo&log=access.log&sensor=cpu&server",
  },
  {
    method: "GET",
    path: "/runs",
    handler: runs,
    description: "the shared runs, with their state and readers",
  },
  { method: "GET", path: "/runs/:name", handler: run, description: "one run", example: "/runs/{run}" },
  {
    method: "DELETE",
    path: "/runs/:name",
    handler: deleteRun,
    description: "stops a run; one that has ended is forgotten",
    example: "/runs/{run}",
    access: "admin",
  },
  { method: "GET", path: "/sensors", handler: sensors, description: "the latest reading of each sensor" },
  {
    method: "GET",
    path: "/sensors/stream",
    handler: sensorStream,
    description: "the latest readings, then each as it is made",
    example: "/sensors/stream?format=text",
  },
  {
    method: "GET",
    path: "/sensors/:id",
    handler: sensor,
    description: "the latest reading of one sensor",
    example: "/sensors/cpu",
  },
  {
    method: "GET",
    path: "/sensors/:id/history",
    handler: sensorHistory,
    description: "[time, value] pairs of one sensor, and the cursor that its stream goes on from",
    example: "/sensors/cpu/history",
  },
  {
    method: "POST",
    path: "/sensors/:id",
    handler: pushReading,
    description: "the value of a push sensor",
    example: "/sensors/{push}",
    access: "publish",
  },
  {
    method: "GET",
    path: "/ws",
    handler: ws,
    description: "a WebSocket: each text message is processed, and answered in order",
    example: "#channels/ws",
  },
  // A WebSocket client follows no redirect.
  {
    method: "GET",
    path: "/ws/",
    handler: ws,
    description: "the same",
    example: "#channels/ws",
    hidden: true,
  },
  { ...forPages, path: "/favicon.ico", handler: favicon, description: "the icon of the pages" },
  {
    method: "GET",
    path: "/openapi.json",
    handler: openapi,
    description: "this list as an OpenAPI 3.1 document, for generators and viewers",
  },
  {
    method: "GET",
    path: "/healthz",
    handler: health,
    description:
      "200 while the server takes requests, 503 while it drains; what is open (hand_made: bodies that handlers made)",
    anySite: true,
    access: "open",
  },
  {
    method: "GET",
    path: "/metrics",
    handler: metrics,
    description: "what Prometheus reads",
    access: "metrics",
  },
  { ...forPages, path: "/dashboard/:file", handler: asset, description: "the files of the dashboard" },
  {
    method: "GET",
    path: "/session",
    handler: session,
    description: "whose token the client has, what it allows, and until when",
    access: "open",
  },
  { ...signing, method: "POST", path: "/session", handler: signIn, description: "signs a browser in or out" },
  { ...signing, method: "DELETE", path: "/session", handler: signOut, description: "signs a browser out" },
  {
    method: "POST",
    path: "/tickets",
    handler: makeTicket,
    description:
      "a URL that EventSource and WebSocket can open on pages of other origins, where there are tokens",
    hidden: true,
  },
];

/** Every URL of the server. */
export const routes: Route[] = [...ownRoutes, ...weirRoutes];
