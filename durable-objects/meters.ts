import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../src/lib/clock.ts";
import type { Counts } from "../src/metrics/request-metrics.ts";
import { MetersCore } from "./meters/core.ts";
import type { MeterAnswer, MeterBatch, MetersRpc } from "./meters/rpc.ts";
import { platformStorage } from "./storage/platform.ts";

/** The one Durable Object that adds up what the isolates count. Wires the platform to `MetersCore`. */
export class Meters extends DurableObject implements MetersRpc {
  private readonly core: MetersCore;

  constructor(context: DurableObjectState, env: object) {
    super(context, env);
    this.core = new MetersCore({ storage: platformStorage(context.storage), clock: systemClock });
  }

  add(isolate: string, batches: readonly MeterBatch[]): Promise<MeterAnswer> {
    return this.core.add(isolate, batches);
  }

  totals(): Promise<Counts> {
    return this.core.totals();
  }
}
