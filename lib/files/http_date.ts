/** IMF-fixdate, and the two obsolete forms: RFC 850 and asctime. */
const forms = [
  /^[A-Z][a-z]{2}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^[A-Z][a-z]{5,8}, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/,
];

/** An HTTP-date (RFC 9110, 5.6.7) in ms since 1970; NaN for anything else, of which `Date.parse` takes far more. */
export function parseHttpDate(text: string): number {
  const groups = forms.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (groups === undefined) return NaN;
  const { day, month, year, time } = groups;
  const date = `${day.replace(" ", "0")} ${month} ${fullYear(year)} ${time.replace(/60$/, "59")} GMT`;
  const ms = Date.parse(date);
  // Written again it differs where `Date.parse` took a date that does not exist, as 31 Feb, for another one.
  if (new Date(ms).toUTCString().slice("Sun, ".length) !== date) return NaN;
  return time.endsWith("60") ? ms + 1_000 : ms; // a leap second
}

/** Two digits more than 50 years ahead belong to the past (RFC 9110, 5.6.7). */
function fullYear(digits: string): string {
  if (digits.length === 4) return digits;
  const now = new Date().getUTCFullYear();
  const year = now - now % 100 + Number(digits);
  return String(year > now + 50 ? year - 100 : year);
}
