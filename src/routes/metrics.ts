import { viewsOf } from "../groups/read.ts";
import { exposition, expositionType, type MetricFamily } from "../metrics/exposition.ts";
import { feedMetrics } from "../metrics/feed-metrics.ts";
import { groupMetrics } from "../metrics/group-metrics.ts";
import { requestFamilies } from "../metrics/request-families.ts";
import type { Counts } from "../metrics/request-metrics.ts";
import { type GroupName, groups } from "../topology.ts";
import { admit, type AppContext } from "./operation.ts";

/**
 * `GET /metrics`: what was asked of the gateway, how far every group is with every partition, and what
 * follows items live, in Prometheus's text format. An object that does not answer keeps no other's figures back.
 */
export async function getMetrics(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const names = Object.keys(groups) as GroupName[];
  const partitions = Array.from({ length: services.config.partitionCount }, (_, partition) => partition);
  const places = names.flatMap((group) => partitions.map((partition) => ({ group, partition })));
  const [counts, views, feeds] = await Promise.all([
    services.meters.totals(),
    viewsOf(services, places),
    services.feeds.figures(),
  ]);
  const families = [...requestMetrics(counts), ...groupMetrics(views), ...feedMetrics(feeds)];
  return new Response(exposition(families), { headers: { "content-type": expositionType } });
}

/** Without an answer there is no sample: one of 0 would pass for counters that began anew. */
function requestMetrics(counts: Counts | null): MetricFamily[] {
  const up: MetricFamily = {
    name: "gavel_meters_up",
    help: "1 where the object answers that adds up what the isolates count.",
    type: "gauge",
    samples: [[{}, counts === null ? 0 : 1]],
  };
  return counts === null ? [up] : [up, ...requestFamilies(counts)];
}
