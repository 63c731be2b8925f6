import type { RedisConnection } from "../channels/redis/connection.ts";
import type { Entry, Follower } from "../channels/redis/feed.ts";
import type { Limits } from "../limits.ts";
import { StreamEnd } from "../stream/errors.ts";
import { JsonText } from "../stream/event.ts";
import { byteLength } from "../stream/json.ts";
import { RunChannel, type RunState } from "./run_channel.ts";
import { keysOf } from "./run_scripts.ts";
import type { FoundRun } from "./run_store.ts";

/** A run of another process: its events come from Redis. */
export class RedisRun extends RunChannel implements Follower {
  /** Whether it has what there was of it when it was found. */
  isLoaded = false;
  /** Looks one after the other that have found nobody who reads it. */
  idle = 0;
  readonly #loaded = Promise.withResolvers<void>();
  readonly #stream: string;

  /** `grew` is called when it takes more memory than before. */
  constructor(
    readonly connection: RedisConnection,
    readonly found: FoundRun,
    limits: Pick<Limits, "runEvents" | "runBytes">,
    readonly grew: () => void,
  ) {
    super(found.name, found.of, limits, found);
    this.#stream = keysOf(found.name, found.epoch)[2];
    if (found.entries === 0) this.#load();
    connection.follow(this.#stream, this);
  }

  get loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  get lastId(): string {
    return `${this.found.epoch}-${this.history.last}`;
  }

  take(entries: Entry[]): void {
    const { history } = this;
    for (const [id, [kind, first, , second]] of entries) {
      if (kind === "end") {
        this.finishAs(first as RunState, second as StreamEnd["reason"]);
        break;
      }
      const number = Number(id.slice(id.indexOf("-") + 1));
      // What its process did not retain until Redis had it is nowhere.
      if (number !== history.last + 1) {
        this.trim(0);
        history.last = number - 1;
      }
      this.add(new JsonText(first), byteLength(first), second || undefined);
    }
    this.grew();
    if (history.last >= this.found.entries) this.#load();
  }

  /** Nothing more comes. */
  finishAs(state: RunState, reason: StreamEnd["reason"]): void {
    this.close();
    if (this.end === null) this.conclude(state, new StreamEnd(reason));
    this.#load();
  }

  /** It is no longer followed. */
  close(): void {
    this.connection.unfollow(this.#stream, this);
  }

  #load(): void {
    this.isLoaded = true;
    this.#loaded.resolve();
  }
}
