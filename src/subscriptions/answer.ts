import { formatTimestamp } from "../lib/time.ts";
import type { SecretLifetime, SubscriptionView } from "./subscription.ts";

/** A subscription as it is answered: every member is named, so that no other can slip in. */
export function subscriptionBody(view: SubscriptionView): Record<string, unknown> {
  const { id, url, filter, order, mode, batch, from, status, createdBy } = view;
  const { disabledReason, disabledAt, enabledAt } = view;
  return {
    id,
    url,
    ...(filter === undefined ? {} : { filter }),
    order,
    mode,
    batch,
    from,
    status,
    ...(disabledReason === undefined ? {} : { disabledReason }),
    ...(disabledAt === undefined ? {} : { disabledAt: formatTimestamp(disabledAt) }),
    ...(enabledAt === undefined ? {} : { enabledAt: formatTimestamp(enabledAt) }),
    createdAt: formatTimestamp(view.createdAt),
    createdBy,
    secrets: view.secrets.map(lifetimeBody),
  };
}

function lifetimeBody({ createdAt, expiresAt }: SecretLifetime): Record<string, string> {
  return {
    createdAt: formatTimestamp(createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt: formatTimestamp(expiresAt) }),
  };
}
