/** Nobody asks for more: what is put off for longer is told as failing instead. */
export const longestDelayMs = 86_400_000;

const dayName = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const monthName = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const time = String.raw`\d{2}:\d{2}:\d{2}`;

const inGmt = new RegExp(
  String.raw`^(?:${dayName}, \d{2} ${monthName} \d{4}|[A-Z][a-z]{5,8}, \d{2}-${monthName}-\d{2}) ${time} GMT$`,
);
/** C's `asctime`, which does not say its zone. */
const withoutZone = new RegExp(String.raw`^${dayName} ${monthName} [\d ]\d ${time} \d{4}$`);

/**
 * How long a `Retry-After` asks to wait, in milliseconds, a day at most; undefined where it says
 * nothing that can be read, or names no time ahead. In seconds, or as a date in any of HTTP's three
 * forms, of which two are obsolete and have to be understood.
 * Source: RFC 9110, 5.6.7 and 10.2.3.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? "";
  const delay = /^\d+$/.test(text) ? Number(text) * 1000 : dateOf(text) - now;
  return delay > 0 ? Math.min(delay, longestDelayMs) : undefined;
}

/** NaN where it is none. */
function dateOf(text: string): number {
  if (inGmt.test(text)) return Date.parse(text);
  return withoutZone.test(text) ? Date.parse(`${text} GMT`) : Number.NaN;
}
