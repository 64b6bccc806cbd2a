import type {
  Secret,
  SecretLifetime,
  Subscription,
  SubscriptionView,
  SubscriptionWithSecrets,
} from "../../src/subscriptions/subscription.ts";
import type { PartitionStorage } from "../dependencies.ts";

interface LifetimeRow {
  [column: string]: string | number | null;
  subscription_id: string;
  created_at: number;
  expires_at: number | null;
}

/**
 * The tables of the subscriptions. A secret that has expired is in no answer, whether or not its
 * row is there still.
 */
export class SubscriptionStore {
  private readonly storage: PartitionStorage;

  constructor(storage: PartitionStorage) {
    this.storage = storage;
  }

  /** 0 before the first change. */
  version(): number {
    return this.storage.all<{ version: number }>(`SELECT version FROM version`)[0]?.version ?? 0;
  }

  /**
   * Raises the version and answers it. It is never below the clock: an object that was set back to
   * an earlier state goes on with versions that no partition has seen.
   */
  raiseVersion(now: number): number {
    const version = Math.max(this.version() + 1, now);
    this.storage.run(`INSERT OR REPLACE INTO version (id, version) VALUES (1, ?)`, version);
    return version;
  }

  count(): number {
    return this.storage.all<{ count: number }>(`SELECT count(*) AS count FROM subscriptions`)[0]?.count ?? 0;
  }

  read(id: string): Subscription | null {
    const [row] = this.storage.all<{ subscription: string }>(
      `SELECT subscription FROM subscriptions WHERE id = ?`,
      id,
    );
    return row === undefined ? null : (JSON.parse(row.subscription) as Subscription);
  }

  write(subscription: Subscription): void {
    this.storage.run(
      `INSERT OR REPLACE INTO subscriptions (id, subscription) VALUES (?, ?)`,
      subscription.id,
      JSON.stringify(subscription),
    );
  }

  remove(id: string): void {
    this.storage.run(`DELETE FROM subscriptions WHERE id = ?`, id);
    this.storage.run(`DELETE FROM secrets WHERE subscription_id = ?`, id);
  }

  view(id: string, now: number): SubscriptionView | null {
    const subscription = this.read(id);
    return subscription === null ? null : { ...subscription, secrets: this.lifetimes(now).get(id) ?? [] };
  }

  views(now: number): SubscriptionView[] {
    const lifetimes = this.lifetimes(now);
    return this.all().map((subscription) => ({
      ...subscription,
      secrets: lifetimes.get(subscription.id) ?? [],
    }));
  }

  withSecrets(now: number): SubscriptionWithSecrets[] {
    const rows = this.storage.all<LifetimeRow & { secret: string }>(
      `SELECT subscription_id, created_at, expires_at, secret FROM secrets
         WHERE expires_at IS NULL OR expires_at > ? ORDER BY subscription_id, number DESC`,
      now,
    );
    const secrets = grouped<Secret, (typeof rows)[number]>(rows, (row) => ({
      secret: row.secret,
      ...lifetimeOf(row),
    }));
    return this.all().map((subscription) => ({
      ...subscription,
      secrets: secrets.get(subscription.id) ?? [],
    }));
  }

  /** Adds the newest secret. The one before it expires at `previousExpiresAt`, older ones are gone. */
  addSecret(id: string, secret: string, createdAt: number, previousExpiresAt: number): void {
    // What expires already is older than the newest: of two secrets it is the one to go.
    this.storage.run(`DELETE FROM secrets WHERE subscription_id = ? AND expires_at IS NOT NULL`, id);
    this.storage.run(`UPDATE secrets SET expires_at = ? WHERE subscription_id = ?`, previousExpiresAt, id);
    this.storage.run(
      `INSERT INTO secrets (subscription_id, number, secret, created_at)
         SELECT ?, coalesce(max(number), 0) + 1, ?, ? FROM secrets WHERE subscription_id = ?`,
      id,
      secret,
      createdAt,
      id,
    );
  }

  removeExpiredSecrets(now: number): void {
    this.storage.run(`DELETE FROM secrets WHERE expires_at <= ?`, now);
  }

  private all(): Subscription[] {
    return this.storage
      .all<{ subscription: string }>(`SELECT subscription FROM subscriptions ORDER BY id`)
      .map((row) => JSON.parse(row.subscription) as Subscription);
  }

  /** Does not read the column that holds the secret. */
  private lifetimes(now: number): Map<string, SecretLifetime[]> {
    const rows = this.storage.all<LifetimeRow>(
      `SELECT subscription_id, created_at, expires_at FROM secrets
         WHERE expires_at IS NULL OR expires_at > ? ORDER BY subscription_id, number DESC`,
      now,
    );
    return grouped(rows, lifetimeOf);
  }
}

function lifetimeOf({ created_at, expires_at }: LifetimeRow): SecretLifetime {
  return { createdAt: created_at, ...(expires_at === null ? {} : { expiresAt: expires_at }) };
}

function grouped<Value, Row extends LifetimeRow>(
  rows: readonly Row[],
  valueOf: (row: Row) => Value,
): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const row of rows) {
    const group = groups.get(row.subscription_id);
    if (group === undefined) groups.set(row.subscription_id, [valueOf(row)]);
    else group.push(valueOf(row));
  }
  return groups;
}
