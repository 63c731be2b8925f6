import { allows, hashOf, type Right, type Token, tokenText } from "./token.ts";

/** What a client was let in with. It is looked up each time anew: the token may have ended since, or be gone. */
export interface Grant {
  /** The token's name. */
  readonly name: string;
  /** What it is; undefined once it has ended. */
  readonly token: Token | undefined;
  /** Whether it still allows this. */
  may(right: Right): boolean;
}

/** The tokens that let in now. */
export class Tokens {
  #byHash = new Map<string, Token>();
  /**
   * Hashes of those that were presented, by their texts: to hash one again takes a fifth of a small answer. A Map compares texts
   * only where their seeded hashes are the same, so that the time of a look says nothing of a token.
   */
  readonly #hashes = new Map<string, string>();

  /** `now` is the time of day, in ms since 1970. */
  constructor(tokens: readonly Token[], readonly now: () => number = Date.now) {
    this.replace(tokens);
  }

  /** From now on these let in, and no others. */
  replace(tokens: readonly Token[]): void {
    this.#byHash = new Map(tokens.map((token) => [token.hash, token]));
    this.#hashes.clear();
  }

  /** The token of this hash, unless it has ended. */
  live(hash: string): Token | undefined {
    const token = this.#byHash.get(hash);
    return token !== undefined && token.expires > this.now() ? token : undefined;
  }

  /** What a token lets in that a client presents. */
  find(presented: string): Grant | null {
    let hash = this.#hashes.get(presented);
    if (hash === undefined) {
      if (!tokenText.test(presented)) return null;
      hash = hashOf(presented);
      if (this.#byHash.has(hash)) this.#hashes.set(presented, hash);
    }
    const token = this.live(hash);
    return token === undefined ? null : new TokenGrant(this, token.name, hash);
  }

  /** What lets in to read in the name of a token, while there is one of that name which may. */
  reading(name: string): Grant {
    const find = () => {
      for (const { name: of, hash } of this.#byHash.values()) {
        const token = of === name ? this.live(hash) : undefined;
        if (token !== undefined && allows(token, "read")) return token;
      }
    };
    return {
      name,
      get token() {
        return find();
      },
      may: (right) => right === "read" && find() !== undefined,
    };
  }
}

class TokenGrant implements Grant {
  constructor(readonly tokens: Tokens, readonly name: string, readonly hash: string) {}

  get token(): Token | undefined {
    return this.tokens.live(this.hash);
  }

  may(right: Right): boolean {
    const { token } = this;
    return token !== undefined && allows(token, right);
  }
}
