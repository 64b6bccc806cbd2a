const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** What a short escape stands for, by the byte behind the backslash. */
const shortEscapes = new Uint8Array(256);
for (const [letter, byte] of [
  ['"', 0x22],
  ["\\", 0x5c],
  ["/", 0x2f],
  ["b", 0x08],
  ["f", 0x0c],
  ["n", 0x0a],
  ["r", 0x0d],
  ["t", 0x09],
] as const) {
  shortEscapes[letter.charCodeAt(0)] = byte;
}

/** A text has a surrogate without its other half: it is no sequence of Unicode scalar values. */
export class LoneSurrogateError extends Error {
  override readonly name = "LoneSurrogateError";
}

/** Where reading and writing stand after a string. */
export interface Copied {
  /** Behind the closing quote. */
  source: number;
  target: number;
}

/**
 * Writes the text of a JSON string, which is known to be valid, as UTF-8 bytes: what stands between
 * escapes is copied as it is. The target has room for as many bytes as the string has: no escape is
 * shorter than what it stands for.
 * @param start where the opening quote stands
 * @throws {LoneSurrogateError} for what UTF-8 cannot write
 */
export function copyJsonText(
  source: Buffer,
  start: number,
  target: Buffer,
  at: number,
  copied: Copied,
): void {
  let read = start + 1;
  let write = at;
  for (;;) {
    const byte = source[read] as number;
    if (byte === QUOTE) break;
    if (byte !== BACKSLASH) {
      target[write++] = byte;
      read++;
      continue;
    }
    const letter = source[read + 1] as number;
    if (letter !== LETTER_U) {
      target[write++] = shortEscapes[letter] as number;
      read += 2;
      continue;
    }
    const unit = hexUnit(source, read + 2);
    read += 6;
    let point = unit;
    if (unit >= 0xd800 && unit <= 0xdfff) {
      point = pairedPoint(source, read, unit);
      read += 6;
    }
    write = writeCodePoint(target, write, point);
  }
  copied.source = read + 1;
  copied.target = write;
}

function hexUnit(source: Buffer, at: number): number {
  return Number.parseInt(source.toString("latin1", at, at + 4), 16);
}

/** The code point of a pair of surrogates, of which the first was read. */
function pairedPoint(source: Buffer, at: number, high: number): number {
  const isEscaped = source[at] === BACKSLASH && source[at + 1] === LETTER_U;
  const low = isEscaped ? hexUnit(source, at + 2) : 0;
  if (high > 0xdbff || low < 0xdc00 || low > 0xdfff) throw new LoneSurrogateError();
  return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

function writeCodePoint(target: Buffer, at: number, point: number): number {
  let write = at;
  if (point < 0x80) {
    target[write++] = point;
  } else if (point < 0x800) {
    target[write++] = 0xc0 | (point >> 6);
    target[write++] = 0x80 | (point & 0x3f);
  } else if (point < 0x10000) {
    target[write++] = 0xe0 | (point >> 12);
    target[write++] = 0x80 | ((point >> 6) & 0x3f);
    target[write++] = 0x80 | (point & 0x3f);
  } else {
    target[write++] = 0xf0 | (point >> 18);
    target[write++] = 0x80 | ((point >> 12) & 0x3f);
    target[write++] = 0x80 | ((point >> 6) & 0x3f);
    target[write++] = 0x80 | (point & 0x3f);
  }
  return write;
}
