import { HttpError } from "./http-error.ts";

/**
 * What a credential may do with a topic: write records; read them at offsets and list offsets;
 * read them as a member of a consumer group, and commit for it.
 */
export type Verb = "produce" | "fetch" | "consume";

export interface Rights {
  allows(verb: Verb, topic: string): boolean;
}

/** Of a credential without bounds. */
export const allRights: Rights = { allows: () => true };

/** @throws {HttpError} 403 */
export function requireRight(rights: Rights, verb: Verb, topic: string): void {
  if (!rights.allows(verb, topic)) {
    throw new HttpError(403, `these credentials may not ${verb} ${topic}`);
  }
}
