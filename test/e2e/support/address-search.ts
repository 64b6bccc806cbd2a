import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";

/** One way in which an address could be somewhere. */
interface Form {
  readonly address: string;
  /** Such as `text`, `base64`, `sha256 in hex`. */
  readonly form: string;
  readonly bytes: Buffer;
}

/** What was found where it must not be. */
export interface Found {
  readonly address: string;
  readonly form: string;
}

/**
 * Every form in which an address could be told from bytes: as it is spelled, in binary, encoded, and
 * under hashes without a salt, which whoever has all addresses undoes. Of a hash its first eight bytes
 * are enough, so that a shortened one is found as well.
 *
 * An IPv4 address's four bytes alone are none: megabytes hold any four bytes by chance.
 */
export function formsOf(addresses: readonly string[]): readonly Form[] {
  return addresses.flatMap((address) => [
    ...spellingsOf(address).flatMap((spelling) => formsOfText(address, spelling)),
    ...binariesOf(address).flatMap((bytes) => formsOfBinary(address, bytes)),
  ]);
}

function spellingsOf(address: string): string[] {
  const parsed = ipaddr.parse(address);
  if (parsed instanceof ipaddr.IPv4) {
    const mapped = parsed.toIPv4MappedAddress();
    return [address, ...new Set([mapped.toString(), mapped.toNormalizedString(), `::ffff:${address}`])];
  }
  const expanded = parsed.parts.map((part) => part.toString(16).padStart(4, "0")).join(":");
  const texts = [address, parsed.toString(), parsed.toNormalizedString(), expanded];
  return [...new Set([...texts, ...texts.map((text) => text.toUpperCase())])];
}

function formsOfText(address: string, spelling: string): Form[] {
  const text = Buffer.from(spelling);
  const hashes = ["md5", "sha1", "sha256"].flatMap((algorithm) => {
    const digest = createHash(algorithm).update(text).digest();
    const start = digest.subarray(0, 8);
    return [
      { form: algorithm, bytes: start },
      ...inHex(start).map((bytes) => ({ form: `${algorithm} in hex`, bytes })),
      ...inBase64(digest.subarray(0, 9)).map((bytes) => ({ form: `${algorithm} in base64`, bytes })),
    ];
  });
  return [
    { form: "text", bytes: text },
    { form: "text of two bytes a character", bytes: Buffer.from(spelling, "utf16le") },
    ...inHex(text).map((bytes) => ({ form: "hex", bytes })),
    ...inBase64(text).map((bytes) => ({ form: "base64", bytes })),
    ...hashes,
  ].map((form) => ({ address, ...form }));
}

/** In sixteen bytes, an IPv4 address behind the mark that it is one. */
function binariesOf(address: string): Buffer[] {
  const parsed = ipaddr.parse(address);
  if (parsed instanceof ipaddr.IPv6) return [Buffer.from(parsed.toByteArray())];
  return [Buffer.from([0xff, 0xff, ...parsed.toByteArray()])];
}

function formsOfBinary(address: string, bytes: Buffer): Form[] {
  return [
    { form: "binary", bytes },
    ...inHex(bytes).map((hex) => ({ form: "binary in hex", bytes: hex })),
    ...inBase64(bytes).map((base64) => ({ form: "binary in base64", bytes: base64 })),
  ].map((form) => ({ address, ...form }));
}

function inHex(bytes: Buffer): Buffer[] {
  const hex = bytes.toString("hex");
  return [...new Set([hex, hex.toUpperCase()])].map((text) => Buffer.from(text));
}

/**
 * In base64, and in its alphabet for URLs, wherever in a longer text it stands: what is around it
 * decides on its first and last characters alone, which are left out.
 */
function inBase64(bytes: Buffer): Buffer[] {
  const texts = [0, 1, 2].flatMap((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const whole = (shift + bytes.length) % 3 === 0;
    const inner = encoded.slice(shift === 0 ? 0 : shift + 1, whole ? undefined : -1);
    return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [...new Set(texts)].map((text) => Buffer.from(text));
}

/** Looks for every form in one pass. */
export function createSearch(forms: readonly Form[]): (bytes: Uint8Array) => Found[] {
  const byStart = new Map<number, Form[]>();
  for (const form of forms) {
    const start = form.bytes.readUInt16BE(0);
    byStart.set(start, [...(byStart.get(start) ?? []), form]);
  }
  const begins = new Uint8Array(65_536);
  for (const start of byStart.keys()) begins[start] = 1;
  return (bytes) => {
    const found = new Map<string, Found>();
    let start = 0;
    for (let index = 0; index < bytes.length; index += 1) {
      start = ((start << 8) | (bytes[index] ?? 0)) & 0xffff;
      if (index === 0 || begins[start] !== 1) continue;
      for (const form of byStart.get(start) ?? []) {
        const { address, form: name } = form;
        if (isAt(bytes, index - 1, form.bytes)) found.set(`${address} ${name}`, { address, form: name });
      }
    }
    return [...found.values()];
  };
}

function isAt(bytes: Uint8Array, offset: number, sought: Buffer): boolean {
  return sought.equals(bytes.subarray(offset, offset + sought.length));
}
