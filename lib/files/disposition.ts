/**
 * Content-Disposition with a file's name (RFC 6266). A plain name stands as it is. Any other is told twice: in ASCII for
 * old readers, and in full as RFC 8187 encodes it, which wins.
 */
export function contentDisposition(how: "attachment" | "inline", name: string): string {
  if (/^[\w.-]+$/.test(name)) return `${how}; filename="${name}"`;
  // A percent sign is taken for an escape by some readers (RFC 6266, appendix D).
  const ascii = name.replace(/[^ !#-$&-[\]-~]/gu, "_");
  const full = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${how}; filename="${ascii}"; filename*=UTF-8''${full}`;
}
