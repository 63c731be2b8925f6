import { createHash } from "node:crypto";
import type { Access } from "../description.ts";

/** What a token can allow; none implies another but `admin`, which is all. */
export type Right = Exclude<Access, "open">;

/** The rights, as a token file writes them. */
export const rights: readonly Right[] = ["read", "publish", "metrics", "admin"];

/** A token, by its hash. */
export interface Token {
  /** Whose it is; several may have one name. */
  readonly name: string;
  /** What it allows. */
  readonly rights: ReadonlySet<Right>;
  /** SHA-256 of its text, in lower-case hex. */
  readonly hash: string;
  /** When it ends, in ms since 1970; Infinity: never. */
  readonly expires: number;
}

/** What the text of a token is made of. Longer ones would not fit into a cookie. */
export const tokenText = /^[A-Za-z0-9_-]{32,256}$/;

/** SHA-256, in hex. Synchronous: the promise of `crypto.subtle` would halve the server. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Whether the token has this right. */
export function allows({ rights }: Token, right: Right): boolean {
  return rights.has(right) || rights.has("admin");
}
