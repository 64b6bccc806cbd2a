import { findEnds, topicsOf, viewOf } from "../../groups/read.ts";
import type { PartitionView } from "../../groups/view.ts";
import type { Services } from "../../services.ts";
import { functionGroups, type GroupName, groups } from "../../topology.ts";
import { admit, type AppContext } from "../operation.ts";
import { readGroup, readPartition } from "./place.ts";

/** `GET /v1/groups`. */
export async function getGroups(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const { partitionCount, topicPrefix } = services.config;
  const listed = (Object.keys(groups) as GroupName[]).map((group) => {
    const functions = group === "auction" ? {} : functionGroups[group].functions;
    return {
      group,
      topics: topicsOf(group, topicPrefix),
      functions: functions === "subscriptions" ? functions : Object.keys(functions),
      partitions: partitionCount,
    };
  });
  return Response.json({ groups: listed });
}

/** `GET /v1/groups/{group}/partitions`. */
export async function getPartitions(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const group = readGroup(context);
  const { partitionCount } = services.config;
  const all = Array.from({ length: partitionCount }, (_, partition) => partition);
  return Response.json({ group, partitions: await viewsOf(services, group, all) });
}

/** `GET /v1/groups/{group}/partitions/{partition}`. */
export async function getPartition(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const group = readGroup(context);
  const [view] = await viewsOf(services, group, [readPartition(context, services)]);
  return Response.json(view);
}

async function viewsOf(
  services: Services,
  group: GroupName,
  partitions: readonly number[],
): Promise<PartitionView[]> {
  const endsOf = await findEnds(services, topicsOf(group, services.config.topicPrefix), partitions);
  return Promise.all(partitions.map((partition) => viewOf(services, group, partition, endsOf)));
}
