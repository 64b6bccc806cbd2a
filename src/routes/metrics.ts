import { viewsOf } from "../groups/read.ts";
import { exposition, expositionType } from "../metrics/exposition.ts";
import { groupMetrics } from "../metrics/group-metrics.ts";
import { type GroupName, groups } from "../topology.ts";
import { admit, type AppContext } from "./operation.ts";

/**
 * `GET /metrics`: how far every group is with every partition, in Prometheus's text format. An object
 * that does not answer keeps no other's figures back.
 */
export async function getMetrics(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const names = Object.keys(groups) as GroupName[];
  const partitions = Array.from({ length: services.config.partitionCount }, (_, partition) => partition);
  const places = names.flatMap((group) => partitions.map((partition) => ({ group, partition })));
  const metrics = groupMetrics(await viewsOf(services, places));
  return new Response(exposition(metrics), { headers: { "content-type": expositionType } });
}
