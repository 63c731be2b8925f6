import { either, jsonAnswer, list, object } from "../http/answers.ts";
import type { Answers } from "../http/description.ts";

const bytes = {
  description: "a file: its bytes, of the type that its name says",
  content: { "application/octet-stream": {} },
};

/** What a file is answered with. */
export const ofFile: Answers = {
  200: bytes,
  206: { description: "the ranges that were asked for", content: { "multipart/byteranges": {} } },
  304: { description: "it is as the client has it" },
  404: "there is no such file",
  412: "it is not as the client's precondition says",
  416: "none of the ranges is in it",
};

const entry = object({
  name: "string",
  type: { enum: ["file", "directory"] },
  size: "integer|null",
  time: "string|null",
});

const folder = object({
  path: "string",
  entries: list(entry),
  truncated: "boolean",
  next: "string|null",
  hidden: "integer",
});

/** What a path that may be a folder's is answered with. */
export const folderOrFile: Answers = {
  ...ofFile,
  200: either(
    jsonAnswer("a folder: its names, as JSON or a page", folder),
    { ...bytes, content: { "text/html": {}, "application/zip": {}, ...bytes.content } },
  ),
  301: { description: "a folder's path ends in a slash" },
  404: "there is no such file or folder",
  406: "Accept allows neither JSON nor a page of a folder",
};
