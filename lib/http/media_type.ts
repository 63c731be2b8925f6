import { STATUS_CODE } from "@std/http/status";
import { parseMediaType } from "@std/media-types";
import { HttpError, quote } from "../stream/errors.ts";

/**
 * The type, in lower case, and the charset of a Content-Type; an absent one has the type "".
 *
 * @throws HttpError 415 for one that does not parse
 */
export function mediaType(contentType: string | null): { type: string; charset?: string } {
  try {
    const [type, parameters] = parseMediaType(contentType ?? "");
    return { type, charset: parameters?.charset };
  } catch (cause) {
    const rule = "Content-Type must be a media type and its parameters";
    const message = `${rule}: current value is ${quote(contentType!)}`;
    throw new HttpError(STATUS_CODE.UnsupportedMediaType, message, { cause });
  }
}

/** Whether a body of this type is JSON: so are those without a type, and what `curl -d` sends, which says it is a form. */
export function isJson(type: string): boolean {
  return /^(|application\/(x-www-form-urlencoded|(.+\+)?json))$/.test(type);
}
