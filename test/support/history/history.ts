/** What clients sent and what they were told, kept outside of the system. */

/** Of every event that these clients send, so that a reader of the log knows theirs. */
export const source = "/test/ledger";

/** An event as its client knows it: sent under the same id until it is decided. */
export interface ClientEvent {
  readonly id: string;
  readonly type: "gavel.bid.placed.v1" | "gavel.item.listed.v1";
  readonly data: Readonly<Record<string, unknown>> & { readonly itemId: string };
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What a client was told of one event. */
export type Told =
  /** The system's word that the event is in the log, at this place, under this id. */
  | ({ readonly kind: "acknowledged"; readonly id: string } & Place)
  /** A 4xx: the event is not taken, and is not sent again. */
  | { readonly kind: "refused"; readonly status: number }
  /** A 5xx. The event may be in the log, or not. */
  | { readonly kind: "failed"; readonly status: number; readonly saysWhenToRetry: boolean }
  /** No answer: the connection broke, or the client's patience ended. The event may be in the log. */
  | { readonly kind: "silence" };

/** One event in one request. */
export interface Attempt {
  readonly client: string;
  readonly event: ClientEvent;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly endedAt: number;
  readonly told: Told;
}

export type Acknowledgement = Attempt & { readonly told: Extract<Told, { readonly kind: "acknowledged" }> };

/** Milliseconds since the epoch. */
export interface Period {
  readonly from: number;
  readonly until: number;
}

/** Every attempt of every client, in the order in which a client sent them. */
export class History {
  readonly attempts: Attempt[] = [];
  /** When something was broken, from the moment it broke until it was whole again. */
  readonly disturbances: Period[] = [];
  readonly acknowledged: Acknowledgement[] = [];
  /** Requests, not events. */
  readonly failures = { noAnswer: 0, unavailable: 0 };

  add(attempt: Attempt): void {
    this.attempts.push(attempt);
    if (isAcknowledged(attempt)) this.acknowledged.push(attempt);
  }
}

export function isAcknowledged(attempt: Attempt): attempt is Acknowledgement {
  return attempt.told.kind === "acknowledged";
}
