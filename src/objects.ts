/** What is used of a Durable Object namespace: a new stub for a name. */
export interface Objects {
  getByName(name: string): unknown;
}

/** More calls make an overloaded object worse. Source: Durable Objects, error handling. */
export function isOverloaded(error: unknown): boolean {
  return typeof error === "object" && error !== null && "overloaded" in error && error.overloaded === true;
}
