import { escape } from "@std/html";
import type { Listing } from "./listing.ts";

/**
 * A folder as a page; `path` is decoded, and "" for the root. Names come from anyone who can write there: each is escaped,
 * and isolated so that its writing direction does not reach its neighbours.
 */
export function listingPage(path: string, { entries, next, hidden }: Listing): string {
  const title = escape(`/${path}`);
  const up = path === "" ? "" : `<tr><td><a href="../">../</a></td></tr>\n`;
  const rows = entries.map(({ name, type, size, time }) => {
    const slash = type === "directory" ? "/" : "";
    const link = encodeURIComponent(name.toWellFormed()) + slash;
    const shown = `<bdi>${escape(name)}</bdi>${slash}`;
    return `<tr><td><a href="${link}">${shown}</a></td><td>${size ?? ""}</td><td>${time ?? ""}</td></tr>\n`;
  }).join("");
  const more = next === null
    ? ""
    : `<p><a href="?after=${encodeURIComponent(next.toWellFormed())}" rel="next">more names</a></p>\n`;
  const unseen = hidden > 0 ? `<p>Names that are not UTF-8, and so not shown: ${hidden}.</p>\n` : "";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
body { font: 16px system-ui, sans-serif; margin: 2em; color-scheme: light dark }
td { padding: 0.1em 1em 0.1em 0 }
td:nth-child(2) { text-align: right }
</style>
<h1>${title}</h1>
<table>
<tr><th align="left">name</th><th>bytes</th><th align="left">changed</th></tr>
${up}${rows}</table>
${more}${unseen}<p><a href="?zip">all of it as a zip</a></p>
</html>
`;
}
