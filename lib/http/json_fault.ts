/** A number or a name of JSON; what may follow it is the grammar's. */
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/** The end of a string that starts at `at`, or the place of its fault. */
function stringEnd(text: string, at: number): { end: number } | { fault: number } {
  for (let i = at + 1; i < text.length; i++) {
    const char = text[i];
    if (char === '"') return { end: i + 1 };
    if (char < " ") return { fault: i };
    if (char !== "\\") continue;
    const escape = /^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(text.slice(i + 1, i + 6));
    if (escape === null) return { fault: i };
    i += escape[0].length;
  }
  return { fault: text.length };
}

/**
 * Where a text stops being JSON (RFC 8259): the offset of what cannot stand there, the text's length where it ends too
 * early, null when it is JSON. The messages of `JSON.parse` do not always say.
 */
export function jsonFault(text: string): number | null {
  /** The arrays and objects that are open. */
  const open: ("[" | "{")[] = [];
  let wanted: "value" | "value or ]" | "key" | "key or }" | ":" | "," = "value";
  for (let at = 0;;) {
    while (at < text.length && " \t\n\r".includes(text[at])) at++;
    const inner = open.at(-1);
    if (wanted === "," && inner === undefined) return at === text.length ? null : at;
    if (at === text.length) return at;
    const char = text[at];
    if (wanted === ":") {
      if (char !== ":") return at;
      wanted = "value";
      at++;
    } else if (wanted === "," && char === ",") {
      wanted = inner === "[" ? "value" : "key";
      at++;
    } else if (
      char === "]" && inner === "[" && (wanted === "," || wanted === "value or ]") ||
      char === "}" && inner === "{" && (wanted === "," || wanted === "key or }")
    ) {
      open.pop();
      wanted = ",";
      at++;
    } else if (wanted === ",") return at;
    else if (char === '"') {
      const string = stringEnd(text, at);
      if ("fault" in string) return string.fault;
      wanted = wanted.startsWith("key") ? ":" : ",";
      at = string.end;
    } else if (wanted.startsWith("key")) return at;
    else if (char === "[" || char === "{") {
      open.push(char);
      wanted = char === "[" ? "value or ]" : "key or }";
      at++;
    } else {
      scalar.lastIndex = at;
      const found = scalar.exec(text);
      if (found === null) return at;
      wanted = ",";
      at += found[0].length;
    }
  }
}
