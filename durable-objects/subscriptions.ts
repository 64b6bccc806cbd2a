import { DurableObject } from "cloudflare:workers";
import { configFromEnv } from "../src/config.ts";
import { systemClock } from "../src/lib/clock.ts";
import { consoleLogger, createConsoleLogger, type RequestIds } from "../src/lib/log.ts";
import { uuidv7 } from "../src/lib/uuid.ts";
import { newSecret } from "../src/functions/http/signature.ts";
import type { SubscriptionSettings, SubscriptionView } from "../src/subscriptions/subscription.ts";
import { platformStorage } from "./storage/platform.ts";
import { SubscriptionsCore } from "./subscriptions/core.ts";
import type {
  CreateAnswer,
  DisableAnswer,
  NewSecret,
  SubscriptionChanges,
  SubscriptionsRpc,
} from "./subscriptions/rpc.ts";
import { createTellPartitions } from "./subscriptions/tell-partitions.ts";

interface Bindings {
  readonly PARTITIONS: DurableObjectNamespace;
}

/** The one Durable Object that keeps the subscriptions. Wires the platform to `SubscriptionsCore`. */
export class Subscriptions extends DurableObject<Bindings> implements SubscriptionsRpc {
  private readonly core: SubscriptionsCore;

  constructor(context: DurableObjectState, env: Bindings) {
    super(context, env);
    const config = configFromEnv(env);
    const logger = createConsoleLogger(config.logLevel);
    this.core = new SubscriptionsCore({
      storage: platformStorage(context.storage),
      clock: systemClock,
      newId: uuidv7,
      newSecret,
      tellPartitions: createTellPartitions(env.PARTITIONS, config.partitionCount),
      logger,
      // An audit is not thinned out with the other lines.
      auditLogger: consoleLogger,
    });
  }

  async create(
    settings: SubscriptionSettings,
    credential: string,
    asker?: RequestIds,
  ): Promise<CreateAnswer> {
    return this.core.create(settings, credential, asker);
  }

  async list(): Promise<readonly SubscriptionView[]> {
    return this.core.list();
  }

  async get(id: string): Promise<SubscriptionView | null> {
    return this.core.get(id);
  }

  async remove(id: string, credential: string, asker?: RequestIds): Promise<boolean> {
    return this.core.remove(id, credential, asker);
  }

  async rotate(id: string, credential: string, asker?: RequestIds): Promise<NewSecret | null> {
    return this.core.rotate(id, credential, asker);
  }

  async enable(id: string, credential: string, asker?: RequestIds): Promise<SubscriptionView | null> {
    return this.core.enable(id, credential, asker);
  }

  async disable(id: string, reason: string, at: number): Promise<DisableAnswer> {
    return this.core.disable(id, reason, at);
  }

  async changesSince(version: number | null): Promise<SubscriptionChanges | "unchanged"> {
    return this.core.changesSince(version);
  }
}
