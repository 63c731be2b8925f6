import { RedisConnection } from "../../../../lib/channels/redis/connection.ts";
import { RedisStore } from "../../../../lib/channels/redis/redis_store.ts";
import { Limits } from "../../../../lib/limits.ts";
import { channelStoreContract } from "../../../support/channel_store_contract.ts";
import { RedisServer, withoutRedis } from "../../../support/redis.ts";

const redis = withoutRedis ? null : await RedisServer.start();
if (redis !== null) globalThis.addEventListener("unload", () => void redis.kill());

channelStoreContract("RedisStore", {
  make: async (limits) => new RedisStore(await RedisConnection.open(redis!.url), new Limits(limits)),
  future: (cursor) => cursor.replace(/\d+$/, (number) => String(Number(number) + 1)),
  ignore: redis === null,
});
