/** Items of one connection at most. */
export const mostItems = 64;

/** Messages on their way to one client at most; the next waits for an acknowledgement. */
export const mostUnacknowledged = 8;

/** Characters of a client's message at most. */
const longestClientMessage = 64;

/** Acknowledgements that say nothing new, in one connection at most. */
export const mostRepeatedAcknowledgements = 100;

/** How long a ticket is good for. */
export const ticketMs = 60_000;

/** How the gateway ends a connection. See docs/live.md. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

export const endings = {
  sessionOver: { code: 4000, reason: "session over: connect again" },
  revoked: { code: 4001, reason: "the credential was revoked" },
  tooSlow: { code: 4008, reason: "too slow: nothing was acknowledged" },
  binary: { code: 1003, reason: "only text is taken" },
  notUnderstood: { code: 1008, reason: 'only {"ack": number} is taken' },
  notSent: { code: 1008, reason: "acknowledged what was not sent" },
  repeated: { code: 1008, reason: "too many acknowledgements of the same" },
  tooLong: { code: 1009, reason: "the message is too long" },
} as const satisfies Record<string, Ending>;

/**
 * The number that a client's message acknowledges, or how the connection ends for it. Compared as text, so
 * that what clients send is not parsed in an object that has thousands of them.
 */
export function readAcknowledgement(message: string | ArrayBuffer): number | Ending {
  if (typeof message !== "string") return endings.binary;
  if (message.length > longestClientMessage) return endings.tooLong;
  const [, number] = /^\s*\{\s*"ack"\s*:\s*(\d{1,15})\s*\}\s*$/.exec(message) ?? [];
  return number === undefined ? endings.notUnderstood : Number(number);
}
