import { randomHex } from "../lib/random.ts";
import { sha256 } from "../lib/sha256.ts";
import type { Scope } from "./scopes.ts";

/** An API key as the Worker knows it: never the key itself. */
export interface ApiKey {
  readonly id: string;
  /** SHA-256 of the whole key, `gvl_<id>_<secret>`, in lower-case hex. */
  readonly sha256: string;
  readonly scopes: ReadonlySet<Scope>;
  /** The only bidder or seller that its bearer may write; absent for a back end. */
  readonly subject?: string;
}

/** Of a key's id: the underscore is what separates it from the secret, and a path of dots leads elsewhere. */
export const keyIdPattern = /^(?!\.{1,2}$)[A-Za-z0-9.-]{1,64}$/;

const keyForm = /^gvl_([A-Za-z0-9.-]{1,64})_[A-Za-z0-9_-]{1,256}$/;
const secretBytes = 32;
/** Compared with in place of an unknown key's hash: no preimage of it is known. */
const noHash = "0".repeat(64);

/** A new key: 256 random bits behind its id. */
export function makeKey(id: string): string {
  return `gvl_${id}_${randomHex(secretBytes)}`;
}

/** The id in a key; undefined for a text that is none. */
export function idOfKey(text: string): string | undefined {
  return keyForm.exec(text)?.[1];
}

/** Whether a text is the key of the hash; takes as long for a key that is not known. */
export function isKey(text: string, known: string | undefined): boolean {
  return equalInConstantTime(sha256(text), known ?? noHash) && known !== undefined;
}

/** Touches every character wherever the first difference is. */
function equalInConstantTime(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index += 1)
    difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}
