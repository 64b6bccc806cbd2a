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

/**
 * A JSON document from its bytes, once nothing about it is ambiguous.
 *
 * Members are counted in the bytes before the text is parsed and in the value afterwards. The
 * parser keeps the last of two equal keys, so that a smaller count in the value means a duplicate,
 * however the keys were escaped; this costs one pass over the bytes and no set of keys.
 * @throws {Problem} `too-deep`, `invalid-utf8`, `malformed-json`, `duplicate-key`.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const members = countMembers(bytes);
  const value = parseText(decodeUtf8(bytes), "The body");
  requireDistinctKeys(members, countValueMembers(value));
  return value;
}

/**
 * One JSON document a line, blank lines left out.
 * @throws {Problem} as `parseJson`; a line that is not JSON is named by its number.
 */
export function parseNdjson(bytes: Uint8Array): unknown[] {
  const members = countMembers(bytes);
  const values: unknown[] = [];
  let inValues = 0;
  for (const [index, line] of decodeUtf8(bytes).split("\n").entries()) {
    if (line.trim() === "") continue;
    const value = parseText(line, `Line ${index + 1}`);
    inValues += countValueMembers(value);
    values.push(value);
  }
  requireDistinctKeys(members, inValues);
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

/**
 * Colons outside strings, which in a JSON document are its objects' members. Bytes of multi-byte
 * characters are never ASCII, so that the text need not be decoded first; nesting is bounded here
 * because the value is walked recursively later.
 */
function countMembers(bytes: Uint8Array): number {
  let members = 0;
  let depth = 0;
  const length = bytes.length;
  for (let index = 0; index < length; index += 1) {
    const byte = bytes[index];
    if (byte === quote) index = endOfString(bytes, index + 1);
    else if (byte === colon) members += 1;
    else if (byte === openBrace || byte === openBracket) {
      depth += 1;
      if (depth > deepestNesting)
        throw new Problem("too-deep", `A body nests at most ${deepestNesting} levels`);
    } else if (byte === closeBrace || byte === closeBracket) depth -= 1;
  }
  return members;
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
