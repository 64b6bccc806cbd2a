/** Any 15 digits are the same once a double has held them, which a text of 15 characters cannot exceed. */
const charactersKept = 15;
/** Below it a double holds fewer digits, down to none. */
const smallestOfFullPrecision = 2 ** -1022;

/**
 * Whether a JSON number without a sign is the same once it has been read: what JavaScript writes for it has the
 * same decimal value. `1.0`, `1e2` and `0.1` are; 2^53 + 1, thirty digits of pi and `1e999` are not.
 */
export function isExactNumber(literal: string): boolean {
  const value = Number(literal);
  if (!Number.isFinite(value)) return false;
  // What is left takes ten times as long, and a body may be full of it.
  if (literal.length <= charactersKept && value >= smallestOfFullPrecision) return true;
  const written = String(value);
  if (written === literal) return true;
  const [left, right] = [decimalOf(literal), decimalOf(written)];
  return left.digits === right.digits && left.exponent === right.exponent;
}

interface Decimal {
  /** Without zeros in front and behind; empty for zero. */
  readonly digits: string;
  /** Of ten, by which the digits, taken for a whole number, are multiplied. */
  readonly exponent: number;
}

/** By index and not by expressions for zeros at the end, which take quadratic time on what clients send. */
function decimalOf(literal: string): Decimal {
  const [mantissa = "", power = "0"] = literal.split(/e/i);
  const [whole = "", fraction = ""] = mantissa.split(".");
  const all = whole + fraction;
  let start = 0;
  while (all[start] === "0") start += 1;
  let end = all.length;
  while (end > start && all[end - 1] === "0") end -= 1;
  const digits = all.slice(start, end);
  return { digits, exponent: digits === "" ? 0 : Number(power) - fraction.length + all.length - end };
}
