/** Code points of a well-formed text: what a limit on a length counts. */
export function codePointLength(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index += 1) {
    // Each surrogate pair is one code point in two units; its first half is counted out.
    if ((text.charCodeAt(index) & 0xfc00) === 0xd800) length -= 1;
  }
  return length;
}

const noncharacter = /\p{Noncharacter_Code_Point}/u;

/** Whether the text holds what no attribute of CloudEvents may: a control, or a noncharacter of Unicode. */
export function hasDisallowed(text: string): boolean {
  let isAscii = true;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
    if (code > 0x7f) isAscii = false;
  }
  return !isAscii && noncharacter.test(text);
}

/**
 * Whether a header's value is what was sent. The runtime reads bytes that are not UTF-8 as U+FFFD,
 * by which two ids that differ would become one.
 */
export function isDecoded(header: string): boolean {
  return !header.includes("\u{fffd}");
}
