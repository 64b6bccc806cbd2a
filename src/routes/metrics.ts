import { findEnds, topicsOf, viewOf } from "../groups/read.ts";
import { describeError } from "../lib/log.ts";
import { Problem } from "../lib/problem.ts";
import { exposition, expositionType } from "../metrics/exposition.ts";
import { type AskedPartition, groupMetrics } from "../metrics/group-metrics.ts";
import type { Services } from "../services.ts";
import { type GroupName, groups } from "../topology.ts";
import { admit, type AppContext } from "./operation.ts";

/**
 * `GET /metrics`: how far every group is with every partition, in Prometheus's text format. An object
 * that does not answer keeps no other's figures back.
 */
export async function getMetrics(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const metrics = groupMetrics(await askAll(services));
  return new Response(exposition(metrics), { headers: { "content-type": expositionType } });
}

async function askAll(services: Services): Promise<AskedPartition[]> {
  const { partitionCount, topicPrefix } = services.config;
  const names = Object.keys(groups) as GroupName[];
  const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);
  const read = new Set(names.flatMap((group) => topicsOf(group, topicPrefix)));
  const endsOf = await findEnds(services, [...read], partitions);
  return Promise.all(
    names.flatMap((group) =>
      partitions.map(async (partition) => {
        const view = await viewOf(services, group, partition, endsOf).catch((error: unknown) => {
          if (!(error instanceof Problem)) throw error;
          services.logger("warn", "status-unknown", { group, partition, error: describeError(error.cause) });
          return null;
        });
        return { group, partition, view };
      }),
    ),
  );
}
