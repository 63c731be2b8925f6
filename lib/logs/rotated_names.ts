import { extname } from "node:path";

const packing = /\.(?:gz|xz|bz2|zst|Z)$/;

/** A number, a part of a time as in 20300101T000000Z, or a word that rotators add, also with a number. */
const addition = /^(?:T?\d[\dTZ]*|\d*(?:old|bak|backup|size|time|date|rotated)\d*)$/i;

/** `.1`, `-2` …; or an index after a date, as in app.log.2030-01-01.1 and 20300101-0000-01-app.log. */
const numbers = /^[.\-_](\d{1,3})$|^[.\-_]\d{4}-?\d\d-?\d\d\.(\d{1,3})$|^\d{8}-\d{4}-(\d\d)-$/;

/** A whole date, which may stand at a name without a separator. */
const date = String.raw`(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d`;
const endingDate = new RegExp(`(?<=\\p{L})${date}$`, "u");

/** The day in a name, as eight digits; "" for none. */
export function dayOf(name: string): string {
  const match = /(?<!\d)((?:19|20)\d\d)([.\-_]?)(0\d|1[0-2])\2([0-3]\d)(?!\d{1,3}(?!\d))/.exec(name);
  return match === null ? "" : match[1] + match[3] + match[4];
}

/** The name that a file had before it was packed: its own when it is not. */
export function unpacked(name: string): string {
  return name.replace(packing, "");
}

/** Whether a name says that gzip has packed it, which can be read. */
export function isGzip(name: string): boolean {
  return name.endsWith(".gz");
}

/** The names that the files of a log may have. */
export class LogName {
  readonly #stem: string;
  readonly #extension: string;
  readonly #word: RegExp;

  /** `dated`: what a link points to may have a date in its name, and tomorrow another one. */
  constructor(base: string, dated = false) {
    this.#extension = extname(base);
    const stem = base.slice(0, base.length - this.#extension.length);
    const words = stem.split(/([.\-_]+)/);
    while (dated && addition.test(words.at(-1) ?? "")) words.splice(-2);
    while (dated && addition.test(words[0] ?? "")) words.splice(0, 2);
    this.#stem = dated ? words.join("").replace(endingDate, "") : words.join("");
    const end = `(?=${date}(?![\\p{L}\\p{N}])|[^\\p{L}\\p{N}]|$)`;
    this.#word = new RegExp(`(?<![\\p{L}\\p{N}])${RegExp.escape(this.#stem)}${end}`, "u");
  }

  /**
   * Whether a name has the log's own in it, as a word: `archive-app.log` may be what became of `app.log`, `worker.log` is
   * another log, and its lines must not come under this one's name.
   */
  isIn(name: string): boolean {
    return this.#stem === "" ? this.isRotated(name) : this.#word.test(name);
  }

  /** Whether a name is this one with nothing but what rotators add to it, in front, before the extension or at the end. */
  isRotated(name: string): boolean {
    const added = this.#added(name);
    if (added === null) return false;
    const words = added.match(/[\p{L}\p{N}]+/gu) ?? [];
    return words.length > 0 ? words.every((word) => addition.test(word)) : packing.test(name);
  }

  /** The number that rotation gave a file, null for none, and what is the same for all that are numbered with it. */
  number(name: string): { number: number | null; series: string } {
    const added = this.#added(name) ?? "";
    const match = numbers.exec(added);
    const number = match && (match[1] ?? match[2] ?? match[3]);
    return number === null
      ? { number, series: "" }
      : { number: Number(number), series: added.replace(new RegExp(`${number}(?=-?$)`), "") };
  }

  /** What is added to the log's name; null when that is not in it. */
  #added(name: string): string | null {
    const plain = unpacked(name);
    if (this.#stem !== "" && !this.#word.test(plain)) return null;
    const added = this.#stem === "" ? plain : plain.replace(this.#word, "");
    const at = this.#extension === "" ? -1 : added.indexOf(this.#extension);
    const end = at + this.#extension.length;
    const isWhole = at !== -1 && !/^\p{L}/u.test(added.slice(end));
    return isWhole ? added.slice(0, at) + added.slice(end) : added;
  }
}
