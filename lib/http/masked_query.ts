/** Parameters whose values open something. */
const secrets = ["ticket", "token", "access_token"];

/** Characters of a query that are shown. */
const maxChars = 1_024;

/** A query for the access log: `-` in place of each secret, whatever way its name is escaped, and no more than 1,024 characters. */
export function maskedQuery(query: string): string {
  const shown = query.slice(0, maxChars);
  if (!/%|ticket|token/i.test(shown)) return shown;
  return shown.split("&").map((pair) => {
    const name = pair.split("=", 1)[0];
    // As the handlers' own parser reads it.
    const [known = ""] = new URLSearchParams(name).keys();
    return secrets.includes(known.toLowerCase()) ? `${name}=-` : pair;
  }).join("&");
}
