import type { Clock } from "../../src/lib/clock.ts";
import { describeError, type Logger, type RequestIds } from "../../src/lib/log.ts";
import {
  mostSubscriptions,
  type Subscription,
  type SubscriptionSettings,
  type SubscriptionView,
} from "../../src/subscriptions/subscription.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { migrate } from "../storage/migrations.ts";
import type { CreateAnswer, DisableAnswer, NewSecret, SubscriptionChanges } from "./rpc.ts";
import { subscriptionsSchema } from "./schema.ts";
import { SubscriptionStore } from "./store.ts";
import type { TellPartitions } from "./tell-partitions.ts";

/** How long the secret before the newest stays valid. */
const previousSecretMs = 24 * 3_600_000;
/** Characters of a reason that are kept. */
const longestReason = 500;

/** Everything that the subscriptions touch outside themselves. */
export interface SubscriptionsDependencies {
  readonly storage: PartitionStorage;
  readonly clock: Pick<Clock, "now">;
  /** A UUID version 7. */
  readonly newId: (now: number) => string;
  /** `whsec_` and base64 of 32 random bytes. */
  readonly newSecret: () => string;
  readonly tellPartitions: TellPartitions;
  readonly logger: Logger;
  /** Takes one line a change, whatever is left out of the other lines. */
  readonly auditLogger: Logger;
}

/** Who changed which subscription, and how. */
type AuditEntry = { readonly action: string; readonly subscription: string } & (
  | ({ readonly credential: string } & Partial<RequestIds>)
  | { readonly group: string; readonly reason: string }
);

/**
 * The subscriptions and what may be done to them. Every operation is one synchronous step, so that
 * no other comes between what it reads and what it writes: two creates at once cannot both take the
 * last place, nor two rotations keep three secrets.
 */
export class SubscriptionsCore {
  private readonly dependencies: SubscriptionsDependencies;
  private readonly store: SubscriptionStore;

  /** Makes or migrates the tables; secrets that have expired since are deleted. */
  constructor(dependencies: SubscriptionsDependencies) {
    this.dependencies = dependencies;
    migrate(dependencies.storage, subscriptionsSchema);
    this.store = new SubscriptionStore(dependencies.storage);
    this.store.removeExpiredSecrets(dependencies.clock.now());
  }

  create(settings: SubscriptionSettings, credential: string, asker?: RequestIds): CreateAnswer {
    if (this.store.count() >= mostSubscriptions) return { kind: "full" };
    const now = this.dependencies.clock.now();
    const id = this.dependencies.newId(now);
    const secret = this.dependencies.newSecret();
    this.change(now, { action: "subscription.created", subscription: id, credential, ...asker }, () => {
      this.store.write({ id, ...settings, status: "active", createdAt: now, createdBy: credential });
      this.store.addSecret(id, secret, now, now);
    });
    return { kind: "created", subscription: this.require(id, now), secret };
  }

  list(): readonly SubscriptionView[] {
    return this.store.views(this.dependencies.clock.now());
  }

  get(id: string): SubscriptionView | null {
    return this.store.view(id, this.dependencies.clock.now());
  }

  remove(id: string, credential: string, asker?: RequestIds): boolean {
    if (this.store.read(id) === null) return false;
    const now = this.dependencies.clock.now();
    this.change(now, { action: "subscription.removed", subscription: id, credential, ...asker }, () => {
      this.store.remove(id);
    });
    return true;
  }

  rotate(id: string, credential: string, asker?: RequestIds): NewSecret | null {
    if (this.store.read(id) === null) return null;
    const now = this.dependencies.clock.now();
    const secret = this.dependencies.newSecret();
    this.change(
      now,
      { action: "subscription.secret-rotated", subscription: id, credential, ...asker },
      () => {
        this.store.addSecret(id, secret, now, now + previousSecretMs);
      },
    );
    return { subscription: this.require(id, now), secret };
  }

  enable(id: string, credential: string, asker?: RequestIds): SubscriptionView | null {
    const subscription = this.store.read(id);
    if (subscription === null) return null;
    const now = this.dependencies.clock.now();
    if (subscription.status === "disabled") {
      const { disabledReason: _, disabledAt: __, ...kept } = subscription;
      this.change(now, { action: "subscription.enabled", subscription: id, credential, ...asker }, () => {
        this.store.write({ ...kept, status: "active", enabledAt: now });
      });
    }
    return this.require(id, now);
  }

  /**
   * A partition that answers late for what it saw before the subscription was enabled again does
   * not disable it once more.
   */
  disable(id: string, fullReason: string, at: number): DisableAnswer {
    const subscription = this.store.read(id);
    if (subscription === null) return "unknown";
    const reason = fullReason.slice(0, longestReason);
    if (subscription.status === "disabled")
      return isSame(subscription, reason, at) ? "disabled" : "unchanged";
    if (subscription.enabledAt !== undefined && at < subscription.enabledAt) return "unchanged";
    const entry = { action: "subscription.disabled", subscription: id, group: "notify", reason };
    this.change(this.dependencies.clock.now(), entry, () => {
      this.store.write({ ...subscription, status: "disabled", disabledReason: reason, disabledAt: at });
    });
    return "disabled";
  }

  changesSince(known: number | null): SubscriptionChanges | "unchanged" {
    const version = this.store.version();
    if (version === known) return "unchanged";
    return { version, subscriptions: this.store.withSecrets(this.dependencies.clock.now()) };
  }

  /** Makes a change with its version, all or nothing; then says who made it, and that there is one. */
  private change(now: number, entry: AuditEntry, write: () => void): void {
    const { storage, auditLogger, logger, tellPartitions } = this.dependencies;
    const version = storage.transaction(() => {
      write();
      return this.store.raiseVersion(now);
    });
    auditLogger("info", "audit", { ...entry, version });
    // Not waited for: whoever made the change has it, also where a partition does not answer.
    tellPartitions(version).catch((error: unknown) => {
      logger("warn", "partitions-not-told", { version, error: describeError(error) });
    });
  }

  private require(id: string, now: number): SubscriptionView {
    const view = this.store.view(id, now);
    if (view === null) throw new Error(`the subscription ${id} was there a moment ago`);
    return view;
  }
}

function isSame({ disabledReason, disabledAt }: Subscription, reason: string, at: number): boolean {
  return disabledReason === reason && disabledAt === at;
}
