/** A number or a name of JSON; what may follow it is the grammar's. */
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/** Characters of a string, or an escape: all but quotes, backslashes and controls. */
const characters = /[ !#-[\]-\uffff]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Where a pattern's match ends that begins at `at`: there, when it does not match. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/**
 * Where a text stops being JSON (RFC 8259): the offset of what cannot stand there, the text's length where it ends too
 * early, null when it is JSON. The messages of `JSON.parse` do not always say.
 */
export function jsonFault(text: string): number | null {
  /** The arrays and objects that are open. */
  const open: string[] = [];
  let wanted: "value" | "key" | ":" | "," = "value";
  /** Nothing is in the innermost of them so far. */
  let isEmpty = false;
  for (let at = 0;;) {
    while (at < text.length && " \t\n\r".includes(text[at])) at++;
    const inner = open.at(-1);
    if (wanted === "," && inner === undefined) return at === text.length ? null : at;
    if (at === text.length) return at;
    const char = text[at];
    const wasEmpty = isEmpty;
    isEmpty = false;
    if ((wanted === "," || wasEmpty) && char === (inner === "[" ? "]" : "}")) {
      open.pop();
      wanted = ",";
      at++;
    } else if (wanted === ":" || wanted === ",") {
      if (char !== wanted) return at;
      wanted = wanted === ":" || inner === "[" ? "value" : "key";
      at++;
    } else if (char === '"') {
      at++;
      for (let end; (end = endOf(characters, text, at)) > at;) at = end;
      if (text[at] !== '"') return at;
      wanted = wanted === "key" ? ":" : ",";
      at++;
    } else if (wanted === "value" && (char === "[" || char === "{")) {
      open.push(char);
      wanted = char === "[" ? "value" : "key";
      isEmpty = true;
      at++;
    } else {
      const end = wanted === "key" ? at : endOf(scalar, text, at);
      if (end === at) return at;
      wanted = ",";
      at = end;
    }
  }
}
