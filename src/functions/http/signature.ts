import { Webhook } from "standardwebhooks";

/** Signs a message with each of an endpoint's secrets. */
export type Sign = (message: SignedContent) => string;

export interface SignedContent {
  readonly id: string;
  /** Of the attempt, in milliseconds since the epoch. */
  readonly at: number;
  readonly body: string;
}

/**
 * Signs by Standard Webhooks, with every secret, so that a receiver verifies with the old or the
 * new one while they change. An id may hold dots, which also separate what is signed: no client
 * chooses any part of it.
 * @param secrets `whsec_` and base64, newest first
 * @throws {Error} where there is none, or one is not base64
 */
export function createSigner(secrets: readonly string[]): Sign {
  if (secrets.length === 0) throw new Error("A call cannot be signed without a secret");
  const webhooks = secrets.map((secret) => new Webhook(secret));
  return ({ id, at, body }) => webhooks.map((webhook) => webhook.sign(id, new Date(at), body)).join(" ");
}

/** Standard Webhooks asks for 24 to 64 bytes. */
const secretBytes = 32;

/** A new secret, to be shown to its owner once. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(secretBytes));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
