import { escape } from "@std/html";
import { page } from "../page.ts";

/** Whether a browser asks for a page to show. Over plain HTTP beyond loopback it does not say so but by what it accepts. */
export function isNavigation({ method, headers }: Pick<Request, "method" | "headers">): boolean {
  const mode = headers.get("sec-fetch-mode");
  return method === "GET" && (mode === null || mode === "navigate") &&
    /\btext\/html\b/.test(headers.get("accept") ?? "");
}

/** The 401 with the form to sign in, which then leads to the path and query of `target`. */
export function signInPage(target: string, wrong = false): Response {
  const to = target.slice(target.indexOf("/", target.indexOf("//") + 2));
  const again = wrong ? `<p role="alert">The token is unknown, or has ended.</p>\n` : "";
  const form = `${again}<form method="post" action="/session">
<input type="hidden" name="to" value="${escape(to)}">
<label>Token <input type="password" name="token" autocomplete="current-password" required autofocus></label>
<button>Sign in</button>
</form>`;
  return page("Weir", form, 401, { "WWW-Authenticate": "Bearer", Vary: "Accept, Cookie" });
}
