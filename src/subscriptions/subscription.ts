import type { Filter } from "../functions/filter.ts";

/** Subscriptions at most: every partition holds all of them. */
export const mostSubscriptions = 100;

/** What a client says of a subscription when it makes one. */
export interface SubscriptionSettings {
  /** Where events are sent. */
  readonly url: string;
  /** Absent: every event. */
  readonly filter?: Filter;
  readonly order: "key" | "partition" | "none";
  /** CloudEvents' content mode over HTTP. */
  readonly mode: "structured" | "binary";
  readonly batch: {
    /** Events of one request at most. */
    readonly count: number;
  };
  /** Where it begins: behind what is in the log when it is made, or with the oldest that is there. */
  readonly from: "latest" | "earliest";
}

/** A subscription without its secrets. Times are milliseconds since the epoch. */
export interface Subscription extends SubscriptionSettings {
  /** A UUID version 7: ids sort in the order in which subscriptions were made. */
  readonly id: string;
  readonly status: "active" | "disabled";
  readonly disabledReason?: string;
  readonly disabledAt?: number;
  /** When it was last enabled again; what was held against its endpoint until then is forgotten. */
  readonly enabledAt?: number;
  readonly createdAt: number;
  /** Id of the credential. */
  readonly createdBy: string;
}

/** What may be told of a secret. */
export interface SecretLifetime {
  readonly createdAt: number;
  /** From then on nothing is signed with it; absent for the newest. */
  readonly expiresAt?: number;
}

/** A signing secret as Standard Webhooks writes it: `whsec_` and base64 of 32 bytes. */
export interface Secret extends SecretLifetime {
  readonly secret: string;
}

/** As operators see it. */
export interface SubscriptionView extends Subscription {
  /** Newest first, two at most. */
  readonly secrets: readonly SecretLifetime[];
}

/** As partitions deliver by it. Never answered to a client, never logged. */
export interface SubscriptionWithSecrets extends Subscription {
  /** Newest first, two at most. */
  readonly secrets: readonly Secret[];
}
