import { auctionView, functionGroupView, type LogEnds, type PartitionView } from "../../groups/view.ts";
import { LogError, type LogOffset } from "../../kafka/port.ts";
import { describeError } from "../../lib/log.ts";
import { type Services, writtenTopics } from "../../services.ts";
import { topics } from "../../topics.ts";
import { functionGroups, groups } from "../../topology.ts";
import { admit, type AppContext } from "../operation.ts";
import { type GroupName, readGroup, readPartition } from "./place.ts";

/** Longest wait for the log, in milliseconds. */
const longestOffsetsMs = 5_000;

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

/** The topics that a group reads, as they are named in the log. */
function topicsOf(group: GroupName, topicPrefix: string): string[] {
  if (group !== "auction") return [topicPrefix + topics[functionGroups[group].topic]];
  const { items, journal } = writtenTopics(topicPrefix);
  return [journal, items];
}

async function viewsOf(
  services: Services,
  group: GroupName,
  partitions: readonly number[],
): Promise<PartitionView[]> {
  const { clock, config, functionPartitions } = services;
  const endsOf = await findEnds(services, topicsOf(group, config.topicPrefix), partitions);
  return Promise.all(
    partitions.map(async (partition) => {
      if (group === "auction") {
        const status = await services.partitions.call(partition, (object) => object.status());
        return auctionView(status, writtenTopics(config.topicPrefix), endsOf, clock.now());
      }
      const status = await functionPartitions[group].call(partition, (object) =>
        object.functionGroupStatus(),
      );
      return functionGroupView(status, endsOf, clock.now());
    }),
  );
}

/** Where topics begin and end. A log that does not answer leaves that open: what the objects tell is told. */
async function findEnds(
  { clock, log, logger }: Services,
  names: readonly string[],
  partitions: readonly number[],
): Promise<(topic: string, partition: number) => LogEnds> {
  const wanted = names.flatMap((topic) => partitions.map((partition) => ({ topic, partition })));
  const deadline = clock.now() + longestOffsetsMs;
  const ask = async (at: "earliest" | "latest"): Promise<readonly LogOffset[]> => {
    try {
      return await log.offsets(at, wanted, deadline);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      logger("warn", "log-ends-unknown", { code: error.code, error: describeError(error) });
      return [];
    }
  };
  const [starts, ends] = await Promise.all([ask("earliest"), ask("latest")]);
  return (topic, partition) => {
    const offsetIn = (offsets: readonly LogOffset[]): number | null =>
      offsets.find((one) => one.topic === topic && one.partition === partition)?.offset ?? null;
    return { start: offsetIn(starts), end: offsetIn(ends) };
  };
}
