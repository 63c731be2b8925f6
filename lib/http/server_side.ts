import type { Clock } from "../stream/clock.ts";
import type { Report } from "../stream/errors.ts";
import type { OpenBodies } from "../stream/open_bodies.ts";
import type { Guard } from "./auth/guard.ts";
import type { RequestBodies } from "./body.ts";
import type { RouteCounts } from "./route_counts.ts";

/** One answered request. */
export interface Answered {
  /** When the request came, in ms since 1970. */
  time: number;
  /** Request method. */
  method: string;
  /** The path, as it was sent. */
  path: string;
  /** The query, as it was sent; it may hold secrets. Empty without one. */
  query: string;
  /** The path's pattern in the route table; `none` for what was refused before it had a route. */
  route: string;
  /** The request's id. */
  id: string;
  /** Address of the client; "" when it is not known. */
  client: string;
  /** Name of the token that it came with, if any. */
  token: string | null;
  /** User-Agent, if any. */
  agent: string | null;
  /** Response status. */
  status: number;
  /** Bytes of the response's body that were handed over; null where nobody counts them. */
  bytes: number | null;
  /** From the request to the end of the response. */
  ms: number;
  /** How the body ended: handed over whole, in part, or an error. */
  end: "complete" | "cut" | "refused";
  /** More fields, where a body has some to tell. */
  more?: Readonly<Record<string, string | number>>;
}

/** What the contexts of one server share. */
export interface ServerSide<App, Route> {
  /** The services of the server. */
  readonly app: App;
  /** The route table. */
  readonly routes: readonly Route[];
  /** The open response bodies. */
  readonly bodies: OpenBodies;
  /** Whether `X-Forwarded-*` are the words of a proxy in front of the server. */
  readonly trustProxy: boolean;
  /** Lets in who has a token; null where everybody is. */
  readonly guard: Guard | null;
  /** Reads request bodies. */
  readonly requestBodies: RequestBodies;
  /** Reports a failure inside. */
  readonly report: Report;
  /** Times the requests. */
  readonly clock: Clock;
  /** The time of day, in ms since 1970, at a recent moment of the clock. */
  timeAt(now: number): number;
  /** Counts what is refused before it has a route. */
  readonly unmatched: RouteCounts;
  /** Counts bytes of a body as they go. */
  sent(bytes: number): void;
  /** Called once a request, at the end of its response; `uncounted` bytes never went through `sent`. */
  record(answered: Answered, uncounted: number): void;
}
