const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** A stretch of time for people, in its largest unit: `3 min`. */
export function duration(milliseconds: number): string {
  for (const [name, length] of units)
    if (milliseconds >= length) return `${Math.floor(milliseconds / length)} ${name}`;
  return `${Math.max(0, Math.round(milliseconds))} ms`;
}

/** How far away a time is: `in 4 min`, `3 s ago`, or nothing where there is none. */
export function distance(time: string | null, now: number): string {
  if (time === null) return "";
  const away = Date.parse(time) - now;
  return away > 0 ? `in ${duration(away)}` : `${duration(-away)} ago`;
}

/** A count that may be unknown. */
export function count(value: number | null): string {
  return value === null ? "?" : String(value);
}

/** A number of things: `1 record`, `2 records`. */
export function counted(value: number, one: string): string {
  return `${value} ${one}${value === 1 ? "" : "s"}`;
}

/** What so many do: `1 record waits`, `2 records wait`. */
export function countedDo(value: number, one: string, verb: string): string {
  return `${counted(value, one)} ${verb}${value === 1 ? "s" : ""}`;
}
