/** Whether every field expected is there with its value, at any depth. */
export function covers(value: unknown, expected: unknown): boolean {
  if (typeof expected !== "object" || expected === null) return Object.is(value, expected);
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(expected) && Reflect.get(value, "length") !== expected.length) return false;
  return Object.entries(expected).every(([name, field]) => covers(Reflect.get(value, name), field));
}
