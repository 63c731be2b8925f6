// What the tests use of playwright-core, typed: an import of its own types would put it into deno.lock.

interface Playwright {
  chromium: { launch(options: { executablePath: string }): Promise<Browser> };
}

export interface Browser {
  newContext(): Promise<Context>;
  close(): Promise<void>;
}

/** Storage, cookies and connections of its own. */
interface Context extends AsyncDisposable {
  newPage(): Promise<Page>;
  setDefaultTimeout(ms: number): void;
}

/** Where elements are looked for. */
interface Place {
  getByText(text: string | RegExp, options?: { exact: boolean }): Locator;
  getByLabel(text: string, options?: { exact: boolean }): Locator;
  getByRole(role: string, options?: { name?: string | RegExp; exact?: boolean }): Locator;
  locator(css: string): Locator;
}

/** A function that is given to it runs in the page, and sees its argument alone. */
export interface Page extends Place {
  context(): Context;
  emulateMedia(options: { colorScheme: "light" | "dark" }): Promise<void>;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  goto(url: string, options?: { waitUntil?: "commit" | "load" }): Promise<unknown>;
  evaluate<R>(expression: string): Promise<R>;
  evaluateHandle<T, A>(fn: (argument: A) => T | Promise<T>, argument?: A): Promise<Handle<T>>;
  waitForEvent(event: "download"): Promise<{ path(): Promise<string>; suggestedFilename(): string }>;
  on(event: "response", listener: (response: { url(): string; status(): number }) => void): unknown;
  on(event: "console", listener: (message: { type(): string; text(): string }) => void): unknown;
}

/** An element, once it is there. */
export interface Locator extends Place {
  waitFor(options?: { timeout: number }): Promise<void>;
  click(): Promise<void>;
  fill(text: string): Promise<void>;
  focus(): Promise<void>;
  selectOption(value: string): Promise<unknown>;
  inputValue(): Promise<string>;
  textContent(): Promise<string>;
  /** Of all that are there now. */
  allTextContents(): Promise<string[]>;
  count(): Promise<number>;
  isEnabled(): Promise<boolean>;
  nth(index: number): Locator;
}

/** A value that stays in the page. */
interface Handle<T> {
  evaluate<R>(fn: (value: T) => R): Promise<R>;
}

/**
 * Starts the Chromium that is installed. The specifier is computed, and the run that imports it has `--no-lock`: Deno
 * downloads all that the module graph or deno.lock has, for `deno task start` too.
 */
export async function launch(executablePath: string): Promise<Browser> {
  const specifier = "npm:playwright-core@1.65.1";
  const { chromium } = await import(specifier) as Playwright;
  // It passes --no-sandbox, which root needs; the pages are this server's own.
  return chromium.launch({ executablePath });
}
