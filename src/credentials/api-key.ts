import { randomHex } from "../lib/random.ts";
import { sha256 } from "../lib/sha256.ts";
import type { Scope } from "./scopes.ts";

/** An API key as the Worker knows it: never the key itself. */
export interface ApiKey {
  readonly id: string;
  /** SHA-256 of the whole key, `gvl_<id>_<secret>`. */
  readonly sha256: Uint8Array;
  readonly scopes: ReadonlySet<Scope>;
  /** The only bidder or seller that its bearer may write; absent for a back end. */
  readonly subject?: string;
}

/** Of a key's id: the underscore is what separates it from the secret, and a path of dots leads elsewhere. */
export const keyIdPattern = /^(?!\.{1,2}$)[A-Za-z0-9.-]{1,64}$/;

const keyForm = /^gvl_([A-Za-z0-9.-]{1,64})_[A-Za-z0-9_-]{1,256}$/;
const hashBytes = 32;
// Compared with in place of an unknown key's hash: no preimage of it is known.
const noHash = new Uint8Array(hashBytes);

/** A new key: 256 random bits behind its id. */
export function makeKey(id: string): string {
  return `gvl_${id}_${randomHex(hashBytes)}`;
}

/** The id in a key; undefined for a text that is none. */
export function idOfKey(text: string): string | undefined {
  return keyForm.exec(text)?.[1];
}

/** Reads the 64 hexadecimal digits in which a hash is kept. */
export function hashFromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hashBytes }, (_, index) =>
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  );
}

/** Whether a text is the key of the hash; takes as long for a key that is not known. */
export async function isKey(text: string, known: Uint8Array | undefined): Promise<boolean> {
  return equalInConstantTime(await sha256(text), known ?? noHash) && known !== undefined;
}

/** Touches every byte wherever the first difference is. */
function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index += 1) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}
