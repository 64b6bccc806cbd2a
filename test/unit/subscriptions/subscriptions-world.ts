import { DatabaseSync } from "node:sqlite";
import { SubscriptionsCore } from "../../../durable-objects/subscriptions/core.ts";
import type { Logger, LogLevel } from "../../../src/lib/log.ts";
import { uuidv7 } from "../../../src/lib/uuid.ts";
import { newSecret } from "../../../src/functions/http/signature.ts";
import type { SubscriptionSettings } from "../../../src/subscriptions/subscription.ts";
import { storageOver } from "../../support/sqlite-storage.ts";

export interface Line {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: Record<string, unknown>;
}

/** The subscriptions over a real SQLite database, with a clock that the test moves. */
export class SubscriptionsWorld {
  now = Date.parse("2026-11-24T12:00:00.000Z");
  readonly told: number[] = [];
  readonly lines: Line[] = [];
  readonly audits: Line[] = [];
  tellPartitions = (version: number): Promise<void> => {
    this.told.push(version);
    return Promise.resolve();
  };
  private readonly database = new DatabaseSync(":memory:");
  core = this.restart();

  /** A new object over the same storage, as after an eviction. */
  restart(): SubscriptionsCore {
    this.core = new SubscriptionsCore({
      storage: storageOver(this.database),
      clock: { now: () => this.now },
      newId: uuidv7,
      newSecret,
      tellPartitions: (version) => this.tellPartitions(version),
      logger: into(this.lines),
      auditLogger: into(this.audits),
    });
    return this.core;
  }

  /** Makes a subscription, which must be possible. */
  create(settings: Partial<SubscriptionSettings> = {}): { readonly id: string; readonly secret: string } {
    const answer = this.core.create({ ...plainSettings, ...settings }, "operator");
    if (answer.kind !== "created") throw new Error("there is no room for another subscription");
    return { id: answer.subscription.id, secret: answer.secret };
  }

  /** The version, and each subscription's secrets as partitions get them, newest first. */
  delivered(): { readonly version: number; readonly secrets: Record<string, readonly string[]> } {
    const answer = this.core.changesSince(null);
    if (answer === "unchanged") throw new Error("whoever knows no version is told everything");
    const secrets: Record<string, readonly string[]> = {};
    for (const subscription of answer.subscriptions) {
      secrets[subscription.id] = subscription.secrets.map(({ secret }) => secret);
    }
    return { version: answer.version, secrets };
  }

  /** Rows in which the text occurs, whatever the answers say. */
  rowsWith(text: string): number {
    const rows = this.database.prepare(`SELECT * FROM secrets`).all();
    return rows.filter((row) => JSON.stringify(row).includes(text)).length;
  }
}

export const plainSettings: SubscriptionSettings = {
  url: "https://hooks.example.com/gavel",
  order: "key",
  mode: "structured",
  batch: { count: 1 },
  from: "latest",
};

function into(lines: Line[]): Logger {
  return (level, event, fields = {}) => lines.push({ level, event, fields });
}
