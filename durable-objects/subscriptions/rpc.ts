import type { RequestIds } from "../../src/lib/log.ts";
import type {
  SubscriptionSettings,
  SubscriptionView,
  SubscriptionWithSecrets,
} from "../../src/subscriptions/subscription.ts";

/** The one object of its class. */
export const subscriptionsName = "subscriptions";

/**
 * What the Subscriptions object answers, by RPC. Every argument and answer is structured-cloneable.
 * Failures that a caller can act on are values; an exception means that the object itself failed.
 */
export interface SubscriptionsRpc {
  /**
   * Makes a subscription, in the name of a credential; its secret is in this answer and no other.
   * @param asker the request that asks for the change, for its audit line; likewise below
   */
  create(settings: SubscriptionSettings, credential: string, asker?: RequestIds): Promise<CreateAnswer>;
  /** In the order in which they were made. */
  list(): Promise<readonly SubscriptionView[]>;
  get(id: string): Promise<SubscriptionView | null>;
  /** Whether there was one. */
  remove(id: string, credential: string, asker?: RequestIds): Promise<boolean>;
  /**
   * Makes a new secret, in this answer and no other. The one before stays valid for 24 hours, any
   * older one ends at once. Null where there is no such subscription.
   */
  rotate(id: string, credential: string, asker?: RequestIds): Promise<NewSecret | null>;
  /** Makes it active and forgets why it was not; null where there is no such subscription. */
  enable(id: string, credential: string, asker?: RequestIds): Promise<SubscriptionView | null>;
  /**
   * For partitions: takes a subscription out of service.
   * @param reason a plain sentence, shown to operators; nothing that the endpoint answered
   * @param at when the caller came to it, in milliseconds since the epoch
   */
  disable(id: string, reason: string, at: number): Promise<DisableAnswer>;
  /**
   * For partitions: every subscription, with secrets, unless nothing has changed since a version.
   * @param version of the last answer, or null
   */
  changesSince(version: number | null): Promise<SubscriptionChanges | "unchanged">;
}

export interface NewSecret {
  readonly subscription: SubscriptionView;
  readonly secret: string;
}

/** `full`: there are as many subscriptions as there may be. */
export type CreateAnswer = ({ readonly kind: "created" } & NewSecret) | { readonly kind: "full" };

/**
 * `disabled` by this very call, also when it is repeated; `unchanged`: it was disabled before, or
 * enabled after the caller came to it; `unknown`: there is no such subscription.
 */
export type DisableAnswer = "disabled" | "unchanged" | "unknown";

export interface SubscriptionChanges {
  /** Rises with every change; what is not the version that a partition has is news to it. */
  readonly version: number;
  readonly subscriptions: readonly SubscriptionWithSecrets[];
}
