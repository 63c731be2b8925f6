import { HttpError } from "./errors.ts";

/** Bounds how much of one limit a single client may hold once half of it is taken: others still find room. */
export class ClientShare {
  readonly #held = new Map<string, number>();

  /** `percent` of the limit, at least one. */
  constructor(readonly percent: number) {}

  /**
   * Refuses the client at this address once half of the limit is taken, and its share by itself.
   *
   * @throws HttpError 503
   */
  check(what: string, { max, used }: { max: number; used: number }, address: string): void {
    const share = Math.max(1, Math.floor(max * this.percent / 100));
    if (used < max / 2 || (this.#held.get(clientOf(address)) ?? 0) < share) return;
    const rule = `at most ${share} while half of ${max} are taken`;
    throw new HttpError(503, `too many ${what} for one client: ${rule}`, { headers: { "Retry-After": "1" } });
  }

  /** Counts one more for the client, until the function that this returns is called. */
  hold(address: string): () => void {
    const client = clientOf(address);
    const count = (by: number) => (this.#held.get(client) ?? 0) + by;
    this.#held.set(client, count(1));
    return () => count(-1) > 0 ? this.#held.set(client, count(-1)) : this.#held.delete(client);
  }
}

/** What counts as one client: an address of IPv4, or the /64 of IPv6, all of which is one subscriber's. */
export function clientOf(address: string): string {
  const mapped = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1];
  if (!address.includes(":")) return address;
  const [head, tail] = address.split("%")[0].split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array<string>(zeros).fill("0"), ...tail ?? []].slice(0, 4);
  return groups.map((group) => parseInt(group, 16).toString(16)).join(":");
}
