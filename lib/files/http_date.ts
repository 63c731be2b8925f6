const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const imfFixdate = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/;
const rfc850 = /^[A-Z][a-z]{5,8}, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}:\d{2}:\d{2}) GMT$/;
const asctime = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}:\d{2}:\d{2}) (\d{4})$/;

/**
 * Parses an HTTP-date (RFC 9110, 5.6.7) in any of its three forms: milliseconds since 1970, or null for anything else.
 * `Date.parse` takes far more than that, and a field that is no HTTP-date has to be ignored.
 */
export function parseHttpDate(text: string): number | null {
  const imf = imfFixdate.exec(text);
  if (imf) return utc(Number(imf[3]), imf[2], imf[1], imf[4]);
  const old = rfc850.exec(text);
  if (old) return utc(century(Number(old[3])), old[2], old[1], old[4]);
  const c = asctime.exec(text);
  return c ? utc(Number(c[4]), c[1], c[2], c[3]) : null;
}

/** Two digits more than 50 years ahead belong to the past (RFC 9110, 5.6.7). */
function century(twoDigits: number): number {
  const now = new Date().getUTCFullYear();
  const year = now - now % 100 + twoDigits;
  return year > now + 50 ? year - 100 : year;
}

function utc(year: number, monthName: string, dayText: string, time: string): number | null {
  const month = months.indexOf(monthName);
  const day = Number(dayText);
  const [hour, minute, second] = time.split(":").map(Number);
  // Date.UTC takes the years 0 to 99 for the 1900s, and the 31st of February for a day in March.
  if (month < 0 || year < 100 || hour > 23 || minute > 59 || second > 60) return null;
  if (new Date(Date.UTC(year, month, day)).getUTCDate() !== day) return null;
  return Date.UTC(year, month, day, hour, minute, second);
}
