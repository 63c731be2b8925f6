/**
 * A value as JSON: the data of an event, or what holds it.
 *
 * @throws TypeError when JSON cannot hold it
 */
export function jsonOf(value: unknown, data: unknown): string {
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) {
    throw new TypeError(
      "Cannot send bytes as JSON: a Uint8Array can be sent as text, or with a media type of the handler's own",
    );
  }
  let why = `it is ${typeof data}`;
  try {
    // What JSON has no word for would be left out, and a reader would take it for nothing.
    if (data !== undefined && typeof data !== "function" && typeof data !== "symbol") {
      return JSON.stringify(value);
    }
  } catch (error) {
    why = (error as Error).message;
  }
  throw new TypeError(`Cannot send the event as its data must be what JSON can hold: ${why}`);
}
