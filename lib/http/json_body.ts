import { STATUS_CODE } from "@std/http/status";
import { HttpError, quote } from "../stream/errors.ts";
import { jsonFault } from "./json_fault.ts";
import { isJson, mediaType } from "./media_type.ts";

/**
 * Refuses a Content-Type that is not JSON's, see {@linkcode isJson}.
 *
 * @throws HttpError 415
 */
export function checkJsonType(contentType: string | null): void {
  const { type } = mediaType(contentType);
  if (isJson(type)) return;
  const message = `Content-Type must be application/json: current value is ${quote(type)}`;
  throw new HttpError(STATUS_CODE.UnsupportedMediaType, message);
}

/**
 * The value of a body.
 *
 * @throws HttpError 400 that names the place of the fault
 */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new HttpError(STATUS_CODE.BadRequest, `the body must be JSON: ${faultOf(body)}`);
  }
}

function faultOf(body: string): string {
  const at = jsonFault(body) ?? body.length;
  const before = body.slice(0, at).split(/\r\n|\n|\r/);
  const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`;
  if (at === body.length) return `it ends too early, at ${place}`;
  return `${quote(String.fromCodePoint(body.codePointAt(at)!))} cannot stand at ${place}`;
}
