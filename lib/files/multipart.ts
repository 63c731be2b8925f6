import type { ByteRange } from "./byte_range.ts";

/** Part of a body: bytes as they are, or a range of the file. */
export type Piece = Uint8Array<ArrayBuffer> | ByteRange;

/** Bytes of a piece. */
export function pieceLength(piece: Piece): number {
  return "first" in piece ? piece.last - piece.first + 1 : piece.length;
}

/** Content-Range of a range (RFC 9110, 14.4). */
export function contentRange({ first, last }: ByteRange, size: number): string {
  return `bytes ${first}-${last}/${size}`;
}

/** A multipart/byteranges body (RFC 9110, 14.6) as the pieces to send one after another. */
export function multipart(
  ranges: ByteRange[],
  size: number,
  type: string,
): { type: string; pieces: Piece[] } {
  // Drawn at random: it must not occur in the file.
  const boundary = crypto.randomUUID();
  const bytes = (text: string) => new TextEncoder().encode(text);
  const pieces = ranges.flatMap((range, i): Piece[] => {
    const fields = `Content-Type: ${type}\r\nContent-Range: ${contentRange(range, size)}`;
    return [bytes(`${i === 0 ? "" : "\r\n"}--${boundary}\r\n${fields}\r\n\r\n`), range];
  });
  pieces.push(bytes(`\r\n--${boundary}--\r\n`));
  return { type: `multipart/byteranges; boundary=${boundary}`, pieces };
}
