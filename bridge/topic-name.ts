/** Kafka's rule for topic names. A name that keeps it needs no escaping, neither in JSON nor in a path. */
export function isTopicName(name: string): boolean {
  return /^[A-Za-z0-9._-]{1,249}$/.test(name) && name !== "." && name !== "..";
}
