import type { Context, Route } from "../lib/handler.ts";
import type { Service } from "../lib/service.ts";

/** Routes of your own, before Weir's; the tests of Weir leave this file, and what it alone imports, to yours. */
export const ownRoutes: Route[] = [];

/** What runs beside the requests, of your own. */
export const ownServices = (_app: Context["app"]): Service[] => [];
