const pattern =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

const firstTime = Date.parse("0000-01-01T00:00:00.000Z");
const lastTime = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * Milliseconds since the epoch of an RFC 3339 timestamp, finer fractions cut off; null where the
 * text is none or names a time that does not exist (30 February, 24:00). `Date.parse` would take
 * both, and other formats. Leap seconds are refused: Unix time has no place for them. So is what
 * an offset moves out of the years 0 to 9999, which could not be written in UTC again.
 */
export function parseTimestamp(text: string): number | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] = match;
  const date = new Date(0);
  // Not `Date.UTC`, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  if (Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return null;
  const offset = (Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0)) * (sign === "-" ? -1 : 1);
  const milliseconds = Number((fraction ?? "").slice(0, 3).padEnd(3, "0"));
  const time =
    date.getTime() +
    ((Number(hour) * 60 + Number(minute) - offset) * 60 + Number(second)) * 1000 +
    milliseconds;
  return time < firstTime || time > lastTime ? null : time;
}

/** RFC 3339 in UTC with milliseconds. */
export function formatTimestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** RFC 3339 in UTC with milliseconds, whatever offset the client chose. Expects a valid timestamp. */
export function canonicalTimestamp(text: string): string {
  return formatTimestamp(parseTimestamp(text) ?? Number.NaN);
}
