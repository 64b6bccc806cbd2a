/** Code points of a well-formed text: what a limit on a length counts. */
export function codePointLength(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index += 1) {
    // Each surrogate pair is one code point in two units; its first half is counted out.
    if ((text.charCodeAt(index) & 0xfc00) === 0xd800) length -= 1;
  }
  return length;
}

/** Whether the text holds a C0 or C1 control or DEL: what ids and headers must not carry. */
export function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}

/**
 * Whether a header's value is what was sent. The runtime reads bytes that are not UTF-8 as U+FFFD,
 * by which two ids that differ would become one.
 */
export function isDecoded(header: string): boolean {
  return !header.includes("\u{fffd}");
}
