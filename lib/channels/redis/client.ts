/** The little of node-redis 6 that is used, declared here: an import of its own types would be downloaded for every start. */
export interface RedisClient {
  connect(): Promise<unknown>;
  sendCommand(args: readonly string[]): Promise<unknown>;
  /** Ends it at once; throws when it has ended. */
  destroy(): void;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** A client of a `redis:` or `rediss:` URL that connects once, and holds back nothing while it is not connected. */
export async function createRedisClient(url: string): Promise<RedisClient> {
  // Computed: Deno downloads what a literal one names at every first start, also where nobody wants it.
  const specifier = "npm:redis@6.3.1";
  const { createClient } = await import(specifier);
  return createClient({
    url,
    RESP: 2,
    // They would need permissions, of Deno and of Redis.
    maintNotifications: "disabled",
    disableClientInfo: true,
    disableOfflineQueue: true,
    // Its own is a timer for each command, and does not see a dead socket: `Link` does.
    commandOptions: { timeout: undefined },
    socket: { reconnectStrategy: false },
  });
}
