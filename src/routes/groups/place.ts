import type { FunctionGroupRpc } from "../../../durable-objects/functions/rpc.ts";
import { Problem } from "../../lib/problem.ts";
import type { GroupObjects } from "../../partitions.ts";
import type { Services } from "../../services.ts";
import { type FunctionGroupName, type GroupName, groups } from "../../topology.ts";
import { admit, type AppContext } from "../operation.ts";

/** One partition of a group of functions, as a request names it. */
export interface FunctionPlace {
  readonly services: Services;
  readonly group: FunctionGroupName;
  readonly partition: number;
  readonly objects: GroupObjects<FunctionGroupRpc>;
}

/** Who asks, and which partition of which group of functions is meant. @throws {Problem} */
export async function admitToPartition(context: AppContext): Promise<FunctionPlace> {
  const { services } = await admit(context, "operate");
  const group = readFunctionGroup(context);
  const partition = readPartition(context, services);
  return { services, group, partition, objects: services.functionPartitions[group] };
}

/** @throws {Problem} `not-found` */
export function readGroup(context: AppContext): GroupName {
  const group = context.req.param("group") ?? "";
  if (Object.hasOwn(groups, group)) return group as GroupName;
  throw new Problem("not-found", "No group has this name");
}

/** @throws {Problem} `not-found`; `not-supported` for the group that keeps state. */
export function readFunctionGroup(context: AppContext): FunctionGroupName {
  const group = readGroup(context);
  if (group !== "auction") return group;
  throw new Problem("not-supported", "Group auction keeps state and drives no functions; it cannot do this");
}

/** The partition in the path; one that is not written as a number is one that is not known. @throws {Problem} */
export function readPartition(context: AppContext, { config }: Services): number {
  const text = context.req.param("partition") ?? "";
  const partition = /^(?:0|[1-9]\d{0,5})$/.test(text) ? Number(text) : Number.NaN;
  if (partition < config.partitionCount) return partition;
  throw new Problem("not-found", "No partition has this number");
}
