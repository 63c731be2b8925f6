import { fileResponse } from "../lib/files/file_response.ts";
import type { Disposition } from "../lib/files/plan.ts";
import { find, notFound } from "../lib/files/root.ts";
import { pathSegments } from "../lib/files/safe_path.ts";
import { ofFile as answers } from "../lib/files/answers.ts";
import { required } from "../lib/http/params.ts";
import { described, type Handler } from "../lib/handler.ts";

const params = { file: required({ example: "report.csv" }, "a file's path below the folder of --files") };

const named = (how: Disposition): Handler =>
  described({ params, answers }, async (_request, context) => {
    const name = context.params.file;
    const segments = pathSegments(name, { encoded: false });
    if (segments === null) throw notFound(name);
    const { config, limits: { downloads }, fileOpens: opens } = context.app;
    const found = await find(config.files, segments, config.followLinks);
    return await fileResponse(context, { downloads, opens, found, how });
  });

/** GET /async_download?file=NAME: the file as an attachment. */
export const asyncDownload: Handler = named("attachment");

/** GET /stream/file?file=NAME: the file, to be shown. */
export const streamFile: Handler = named("inline");
