import { t } from "./words.js";

/** How far the server's clock is ahead, in ms. */
let ahead = 0;

/** What the server's clock shows, in ms since 1970. */
export const now = () => Date.now() + ahead;

/** @typedef {{ name: string | null, rights: string[], expires: string | null }} Session */

/** Who is signed in; the name is null where there are no tokens. @type {Session} */
export let session = { name: null, rights: [], expires: null };

/** Asks who is signed in. */
export const loadSession = async () => void (session = await getJson("/session"));

/** Whether the token allows what a route wants; `admin` is all. @param {string | undefined} right */
export const may = (right = "read") =>
  right === "open" || session.rights.some((own) => own === right || own === "admin");

/** What is said of an answer that is no success; 0 without one. @param {number} status @param {string} message */
const refused = (status, message) => Object.assign(new Error(message), { status });

/** @typedef {ReturnType<typeof refused>} Refused */

/** An answer that is a success; else it throws the server's own words. @param {string} path @param {RequestInit} [init] */
export async function ask(path, init) {
  const response = await fetch(path, init).catch((error) => {
    throw init?.signal?.aborted ? error : refused(0, t("the server cannot be reached"));
  });
  const skew = Date.parse(response.headers.get("date") ?? "") - Date.now();
  // Its header has whole seconds.
  ahead = Math.abs(skew) > 2_000 ? skew : 0;
  if (response.ok) return response;
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  const message = isJson ? JSON.parse(text).error : text.trim();
  throw refused(response.status, message || response.statusText);
}

/** A JSON answer. @param {string} path @param {RequestInit} [init] @returns {Promise<any>} */
export const getJson = async (path, init) =>
  await (await ask(path, { ...init, headers: { Accept: "application/json", ...init?.headers } })).json();

/** @typedef {{ id?: string, event?: string, data: any }} Record_ */

/** The records of an answer in NDJSON, in batches that are as they came. @param {Response} response @returns {AsyncGenerator<Record_[]>} */
export async function* records(response) {
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body)
    .pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = /** @type {string} */ (lines.pop());
      if (lines.length > 0) yield lines.map((line) => JSON.parse(line));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** One word for a shell. @param {string} text */
export const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The line of shell that asks the same. @param {string} target @param {string} [options] */
export function curl(target, options = "-N") {
  const token = session.name === null ? "" : ' -H "Authorization: Bearer $WEIR_TOKEN"';
  return `curl ${options}${token} ${quoted(location.origin + target)}`;
}
