import { isExactNumber } from "../lib/exact-number.ts";
import { Problem } from "../lib/problem.ts";

/** Deepest nesting of a body. A batch of CloudEvents with attributes needs four levels. */
const deepestNesting = 32;

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const zero = 0x30;
const nine = 0x39;
const point = 0x2e;
const plus = 0x2b;
const minus = 0x2d;
const smallE = 0x65;
const capitalE = 0x45;

/** Characters of a number that a double keeps whatever they are, without an exponent and with one. */
const alwaysExact = 15;
const alwaysExactWithExponent = 4;
const shortText = 32;
/** Of a number in a problem's words. */
const longestNumberTold = 40;

/** What a pass over the bytes finds, before it is known whether they are JSON. */
interface Scan {
  readonly members: number;
  /** The first number that reading would change. */
  readonly imprecise: string | undefined;
}

/**
 * A JSON document from its bytes, once nothing about it is ambiguous.
 *
 * Members are counted in the bytes before the text is parsed and in the value afterwards. The
 * parser keeps the last of two equal keys, so that a smaller count in the value means a duplicate,
 * however the keys were escaped; this costs one pass over the bytes and no set of keys. The same
 * pass finds numbers that a double does not hold, which the parser would change in silence.
 * @param numbers `nearest` where they may be rounded: what is not a client's money
 * @throws {Problem} `too-deep`, `invalid-utf8`, `malformed-json`, `imprecise-number`, `duplicate-key`.
 */
export function parseJson(bytes: Uint8Array, numbers: "exact" | "nearest" = "exact"): unknown {
  const scan = scanBytes(bytes);
  const value = parseText(decodeUtf8(bytes), "The body");
  if (numbers === "exact") requireExactNumbers(scan);
  requireDistinctKeys(scan.members, countValueMembers(value));
  return value;
}

/**
 * One JSON document a line, blank lines left out.
 * @throws {Problem} as `parseJson`; a line that is not JSON is named by its number.
 */
export function parseNdjson(bytes: Uint8Array): unknown[] {
  const scan = scanBytes(bytes);
  const values: unknown[] = [];
  let inValues = 0;
  for (const [index, line] of decodeUtf8(bytes).split("\n").entries()) {
    if (line.trim() === "") continue;
    const value = parseText(line, `Line ${index + 1}`);
    inValues += countValueMembers(value);
    values.push(value);
  }
  requireExactNumbers(scan);
  requireDistinctKeys(scan.members, inValues);
  return values;
}

/** `fatal` refuses what is not UTF-8; a byte order mark in front is dropped. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Problem("invalid-utf8", "The body must be JSON in UTF-8");
  }
}

function parseText(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem("malformed-json", `${what} is not a JSON document`);
  }
}

function requireDistinctKeys(inBytes: number, inValue: number): void {
  if (inBytes === inValue) return;
  throw new Problem("duplicate-key", "An object has the same key twice, so that its meaning is open");
}

/** Told once the body is known to be JSON: what looks like a number elsewhere is not the fault. */
function requireExactNumbers({ imprecise }: Scan): void {
  if (imprecise === undefined) return;
  const told = imprecise.length > longestNumberTold ? `${imprecise.slice(0, longestNumberTold)}…` : imprecise;
  throw new Problem("imprecise-number", `The number ${told} would be read as ${Number(imprecise)}`);
}

/**
 * Colons outside strings, which in a JSON document are its objects' members, and the first number
 * that loses digits. Bytes of multi-byte characters are never ASCII, so that the text need not be
 * decoded first; nesting is bounded here because the value is walked recursively later.
 */
function scanBytes(bytes: Uint8Array): Scan {
  let members = 0;
  let depth = 0;
  let imprecise: string | undefined;
  const length = bytes.length;
  for (let index = 0; index < length; index += 1) {
    const byte = bytes[index] as number;
    if (byte === quote) index = endOfString(bytes, index + 1);
    else if (byte === colon) members += 1;
    else if (byte >= zero && byte <= nine) {
      const end = endOfNumber(bytes, index);
      if (end - index > alwaysExactWithExponent) imprecise ??= impreciseNumber(bytes, index, end);
      index = end - 1;
    } else if (byte === openBrace || byte === openBracket) {
      depth += 1;
      if (depth > deepestNesting)
        throw new Problem("too-deep", `A body nests at most ${deepestNesting} levels`);
    } else if (byte === closeBrace || byte === closeBracket) depth -= 1;
  }
  return { members, imprecise };
}

/** Where the number ends whose first digit is at `start`; its sign is of no interest. */
function endOfNumber(bytes: Uint8Array, start: number): number {
  let index = start + 1;
  const length = bytes.length;
  while (index < length && isOfNumber(bytes[index] as number)) index += 1;
  return index;
}

function isOfNumber(byte: number): boolean {
  if (byte >= zero && byte <= nine) return true;
  return byte === point || byte === smallE || byte === capitalE || byte === plus || byte === minus;
}

/** The number as it is written, where reading would change it. Few are long enough to be looked at. */
function impreciseNumber(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= alwaysExact && !hasExponent(bytes, start, end)) return undefined;
  const literal = asciiText(bytes, start, end);
  return isExactNumber(literal) ? undefined : literal;
}

/** Digits and the like; decoding what is as short as most would take longer than all else. */
function asciiText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > shortText) return utf8.decode(bytes.subarray(start, end));
  let text = "";
  for (let index = start; index < end; index += 1) text += String.fromCharCode(bytes[index] as number);
  return text;
}

function hasExponent(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    if (bytes[index] === smallE || bytes[index] === capitalE) return true;
  }
  return false;
}

/** Where the string ends whose first character is at `start`. */
function endOfString(bytes: Uint8Array, start: number): number {
  let index = start;
  const length = bytes.length;
  while (index < length) {
    const byte = bytes[index];
    if (byte === quote) return index;
    index += byte === backslash ? 2 : 1;
  }
  return index;
}

function countValueMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const entry of value) members += countValueMembers(entry);
    return members;
  }
  for (const entry of Object.values(value)) {
    members += 1;
    if (typeof entry === "object") members += countValueMembers(entry);
  }
  return members;
}
