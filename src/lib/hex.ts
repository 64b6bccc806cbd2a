/** Two lower-case digits for each byte. `toString(16)` takes a slow path for every number above 2^31. */
export const byteToHex: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

const digits = (byte: number): string => byteToHex[byte & 0xff] ?? "";

/** A non-negative safe integer in lower-case hex, with leading zeros to `length` digits, at most 14. */
export function toHex(value: number, length: number): string {
  const low = value >>> 0;
  const high = Math.floor(value / 0x100000000);
  const text =
    digits(high >>> 16) +
    digits(high >>> 8) +
    digits(high) +
    digits(low >>> 24) +
    digits(low >>> 16) +
    digits(low >>> 8) +
    digits(low);
  return text.slice(text.length - length);
}

/** Bytes as lower-case hex. */
export function bytesToHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byteToHex[byte] ?? "";
  return hex;
}
