const languages = ["en", "zh"];

let words = /** @type {Record<string, string>} */ ({});

const chosen = sessionStorage.getItem("language") ?? navigator.language.slice(0, 2);

/** Of this tab alone: two tabs can have two languages. */
export const language = languages.includes(chosen) ? chosen : "en";

/** Loads the words of the language; the English ones are the keys. */
export async function loadWords() {
  document.documentElement.lang = language;
  if (language !== "en") words = await (await fetch(`/dashboard/${language}.json`)).json();
}

/** The other language, in its own words. */
export const other = language === "en" ? { code: "zh", name: "中文" } : { code: "en", name: "English" };

/** Goes on in the other language, at the same place. */
export function switchLanguage() {
  sessionStorage.setItem("language", other.code);
  location.reload();
}

/** A text in the tab's language, with `{name}` replaced by that value. A key is a literal: a test looks for it. @param {string} key @param {Record<string, string | number>} [values] */
export const t = (key, values = {}) =>
  (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
