import { topicsOf, viewsOf } from "../../groups/read.ts";
import { isSilent } from "../../groups/view.ts";
import { Problem } from "../../lib/problem.ts";
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

/** `GET /v1/groups/{group}/partitions`: of one whose object does not answer, that alone. */
export async function getPartitions(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const group = readGroup(context);
  const { partitionCount } = services.config;
  const places = Array.from({ length: partitionCount }, (_, partition) => ({ group, partition }));
  return Response.json({ group, partitions: await viewsOf(services, places) });
}

/** `GET /v1/groups/{group}/partitions/{partition}`. */
export async function getPartition(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const group = readGroup(context);
  const [view] = await viewsOf(services, [{ group, partition: readPartition(context, services) }]);
  if (view !== undefined && isSilent(view)) throw new Problem("partition-unavailable", view.stalled);
  return Response.json(view);
}
