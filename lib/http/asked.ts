import type { StreamCounts } from "../stream/stream_counts.ts";
import { forwardedClient } from "./forwarded.ts";
import { requestId } from "./request_id.ts";
import type { RouteCounts } from "./route_counts.ts";
import type { ServerSide } from "./server_side.ts";

/** One request, as far as it is known before its handler runs. */
export class Asked<App, Route> {
  /** The URL that the client asked for; behind a trusted proxy it is not the request's. */
  target = "";
  /** The URL of the request as it was sent, up to the limit. */
  requested = "";
  /** The path of the target, as it was sent. */
  path = "/";
  /** Counts of the route; until one is found, of what has none. */
  route: RouteCounts;
  /** Taken from the client, or drawn. */
  readonly id: string;
  /** Read at once: an upgraded request no longer knows its address. */
  readonly client: string;
  /** By the clock that nobody sets. */
  protected readonly began: number;

  constructor(
    readonly request: Request,
    readonly server: ServerSide<App, Route>,
    readonly info?: Deno.ServeHandlerInfo,
  ) {
    this.route = server.unmatched;
    this.began = server.clock.now();
    this.id = requestId(request.headers);
    const address = info?.remoteAddr;
    this.client = server.trustProxy && forwardedClient(request.headers) ||
      (address?.transport === "tcp" ? address.hostname : "");
  }

  get overTcp(): boolean {
    return this.info !== undefined;
  }

  get age(): number {
    return this.server.clock.now() - this.began;
  }

  get counts(): StreamCounts {
    return this.route.streams;
  }

  get method(): string {
    return this.request.method;
  }

  get headers(): Headers {
    return this.request.headers;
  }

  /** The query, as it was sent. */
  protected get sentQuery(): string {
    const start = this.requested.indexOf("?") + 1;
    return start === 0 ? "" : this.requested.slice(start);
  }
}
