import { HttpError } from "./http-error.ts";

/**
 * What a credential may do with a topic: write records; read them at offsets and list offsets;
 * read them as a member of a consumer group, and commit for it.
 */
export const verbs = ["produce", "fetch", "consume"] as const;
export type Verb = (typeof verbs)[number];

export interface Rights {
  allows(verb: Verb, topic: string): boolean;
}

/** Verbs on topics: each a name, or the beginning of names and a `*`. */
export interface Grant {
  readonly verbs: readonly Verb[];
  readonly topics: readonly string[];
}

/** Of a credential without bounds. */
export const allRights: Rights = { allows: () => true };

/** A name, or the beginning of names and a `*`; Kafka's names have no `*` of their own. */
export function isTopicPattern(pattern: string): boolean {
  return /^[\w.-]{1,249}\*?$|^\*$/.test(pattern);
}

/** What grants allow, all of them together; without one, nothing. */
export function grantedRights(grants: readonly Grant[]): Rights {
  const patterns = (verb: Verb) =>
    grants.filter((grant) => grant.verbs.includes(verb)).flatMap(({ topics }) => topics);
  const matchers = new Map(verbs.map((verb) => [verb, matcherOf(patterns(verb))]));
  return { allows: (verb, topic) => matchers.get(verb)?.(topic) === true };
}

function matcherOf(patterns: readonly string[]): (topic: string) => boolean {
  const names = new Set(patterns.filter((pattern) => !pattern.endsWith("*")));
  const beginnings = patterns.filter((pattern) => pattern.endsWith("*")).map((text) => text.slice(0, -1));
  return (topic) => names.has(topic) || beginnings.some((beginning) => topic.startsWith(beginning));
}

/** Whether the credential may know that the topic exists. */
export function mayKnow(rights: Rights, topic: string): boolean {
  return verbs.some((verb) => rights.allows(verb, topic));
}

/** Says that a topic is out of reach; the same whether it exists or not. */
export function forbidden(verb: Verb, topic: string): HttpError {
  return new HttpError(403, `these credentials may not ${verb} ${topic}`);
}

/** @throws {HttpError} 403 */
export function requireRight(rights: Rights, verb: Verb, topic: string): void {
  if (!rights.allows(verb, topic)) throw forbidden(verb, topic);
}
