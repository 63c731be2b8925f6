import { unavailable } from "../channels/redis/away.ts";
import type { RedisConnection } from "../channels/redis/connection.ts";
import type { Script } from "../channels/redis/scripts.ts";
import type { RunIdentity, RunOf, RunState, StartedRun } from "./run_channel.ts";
import * as scripts from "./run_scripts.ts";

/** Time for which a run stays its process' own that does not renew it, in ms. */
const leaseMs = 6_500;
/** Time for which what nobody renews is kept beyond `keepRuns`, in ms. */
const unrenewedMs = 60_000;

/** What Redis says of a run. */
export interface FoundRun extends RunIdentity {
  readonly name: string;
  /** Id of the process that it runs in. */
  readonly owner: string;
  readonly of: RunOf;
  readonly state: RunState;
  /** Entries that its stream has had: its events and, once it has ended, its end. */
  readonly entries: number;
  /** Whether its process has renewed its lease. */
  readonly isLeased: boolean;
}

/** What Redis has of the runs of all processes. */
export class RunStore {
  /** `keepRuns`: seconds for which a run is retained after its end. */
  constructor(readonly connection: RedisConnection, readonly keepRuns: number) {}

  /** Takes a name for a run; 0 when there is one of this name. */
  async claim(name: string, { route, params }: RunOf, { epoch, started }: RunIdentity): Promise<number> {
    const args = [route, JSON.stringify(params), started];
    const claimed = await this.run(scripts.claimScript, name, epoch, args);
    if (claimed === 1) {
      await this.connection.send(["ZADD", scripts.namesKey, epoch, name]);
      await this.connection.send(["XADD", scripts.startsKey, "MAXLEN", "~", "100", "*", "name", name]);
    }
    return claimed;
  }

  /** Runs one of the scripts that are about a run. */
  run(script: Script, name: string, epoch: string, args: readonly string[] = []): Promise<number> {
    const keepMs = this.keepRuns * 1_000 + unrenewedMs;
    const all = [this.connection.id, String(leaseMs), String(keepMs), epoch, ...args];
    return this.connection.run(script, scripts.keysOf(name, epoch), all) as Promise<number>;
  }

  /** What there is of a run. */
  async find(name: string): Promise<FoundRun | null> {
    // No name has a colon, and other keys of runs have.
    if (name.includes(":")) return null;
    const fields = await this.connection.run(scripts.findScript, [scripts.metaKey(name)]);
    if (fields === null) return null;
    const [owner, epoch, state, route, params, started, entries, lease] = fields as string[];
    const of = { route, params: JSON.parse(params) };
    const isLeased = Number(lease) === 1;
    return { name, owner, epoch, of, state: state as RunState, started, entries: Number(entries), isLeased };
  }

  /** All runs, in the order in which they started. */
  async list(): Promise<FoundRun[]> {
    const names = await this.connection.send(["ZRANGE", scripts.namesKey, "0", "-1"]) as string[];
    const found = await Promise.all(names.map((name) => this.find(name)));
    const gone = names.filter((_, n) => found[n] === null);
    if (gone.length > 0) await this.connection.send(["ZREM", scripts.namesKey, ...gone]);
    return found.filter((run) => run !== null);
  }

  async forget(name: string, epoch: string): Promise<void> {
    if (await this.run(scripts.forgetScript, name, epoch) === 1) {
      await this.connection.send(["ZREM", scripts.namesKey, name]);
    }
  }
}

/** What is shown of a run that so many follow here. */
export function shown({ name, of, state, started, entries }: FoundRun, readers = 0): StartedRun {
  return { name, ...of, state, started, events: entries - (state === "running" ? 0 : 1), readers };
}

/** For a request: it fails with a 503 when Redis cannot be asked. */
export async function asked<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw unavailable(error);
  }
}
