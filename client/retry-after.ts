/**
 * What `Retry-After` asks for, in milliseconds from now: seconds, or a date, which is compared with
 * the answer's own `Date` where it has one, since clocks differ. Undefined where it says nothing.
 */
export function retryAfterMs(header: (name: string) => string | null, now: () => number): number | undefined {
  const value = header("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  if (!/^[A-Za-z]/.test(value) || Number.isNaN(at)) return undefined;
  const sent = Date.parse(header("date") ?? "");
  return Math.max(0, at - (Number.isNaN(sent) ? now() : sent));
}
