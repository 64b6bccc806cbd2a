import { metersName, type MetersRpc } from "../../durable-objects/meters/rpc.ts";
import type { Clock } from "../lib/clock.ts";
import { randomHex } from "../lib/random.ts";
import type { Objects } from "../objects.ts";
import { HandOver } from "./hand-over.ts";
import { type Counts, RequestMetrics } from "./request-metrics.ts";

/** What this isolate counts, and the way to the figures of all of them. */
export interface Meters {
  readonly metrics: RequestMetrics;
  readonly handOver: Pick<HandOver, "soon">;
  /** What all isolates have handed over, this one's latest included; null where the object does not answer. */
  totals(): Promise<Counts | null>;
}

export function createMeters(objects: Objects, clock: Clock): Meters {
  // A stub that failed stays broken, so that each call gets its own.
  const object = () => objects.getByName(metersName) as MetersRpc;
  const metrics = new RequestMetrics();
  const handOver = new HandOver({
    metrics,
    clock,
    newIsolateId: () => randomHex(8),
    add: (isolate, batches) => object().add(isolate, batches),
  });
  return {
    metrics,
    handOver,
    totals: async () => {
      if (!(await handOver.now())) return null;
      return object()
        .totals()
        .catch(() => null);
    },
  };
}
