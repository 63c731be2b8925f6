import type { Limits } from "../../limits.ts";
import type { Report } from "../../stream/errors.ts";
import { RedisConnection, type RedisOptions } from "./connection.ts";
import { reasonOf } from "./link.ts";
import { RedisStore } from "./redis_store.ts";

/** Redis cannot be used, or not this one: its message is for the operator, and has nothing of the URL but the host. */
export class RedisStartError extends Error {
  override name = "RedisStartError";
}

/**
 * The store of channels in the Redis of a URL; what of its settings may lose events is reported.
 *
 * @throws RedisStartError
 */
export async function openRedisStore(
  { redis, channelTtl, limits }: { redis: string; channelTtl?: number; limits: Limits },
  report: Report,
  options: RedisOptions = {},
): Promise<RedisStore> {
  try {
    const check = (connection: RedisConnection) => checkSettings(connection, report);
    return new RedisStore(
      await RedisConnection.open(redis, { report, ...options }, check),
      limits,
      channelTtl,
    );
  } catch (error) {
    const { host } = new URL(redis);
    throw new RedisStartError(`cannot use the Redis at ${host}: ${reasonOf(error).replaceAll(/\s+/g, " ")}`);
  }
}

async function checkSettings(connection: RedisConnection, report: Report): Promise<void> {
  const info = await connection.send(["INFO"]) as string;
  const value = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1] ?? "";
  const version = value("redis_version");
  if (!(Number.parseInt(version) >= 7)) throw new Error(`it must have version 7 or later: it has ${version}`);
  if (value("aof_enabled") === "0") {
    report("Redis has no append-only file (appendonly no): what was published last is lost when it stops");
  }
  const policy = value("maxmemory_policy");
  if (policy !== "noeviction") {
    report(`Redis evicts keys when its memory is full (maxmemory-policy ${policy}): it must be noeviction`);
  }
}
