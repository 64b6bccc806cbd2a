import { LogError, type LogOffset } from "../kafka/port.ts";
import { describeError } from "../lib/log.ts";
import { type Services, writtenTopics } from "../services.ts";
import { topics } from "../topics.ts";
import { functionGroups, type GroupName } from "../topology.ts";
import { auctionView, type EndsOf, functionGroupView, type PartitionView } from "./view.ts";

/** Longest wait for the log, in milliseconds. */
const longestOffsetsMs = 5_000;

/** The topics that a group reads, as they are named in the log. */
export function topicsOf(group: GroupName, topicPrefix: string): string[] {
  if (group !== "auction") return [topicPrefix + topics[functionGroups[group].topic]];
  const { items, journal } = writtenTopics(topicPrefix);
  return [journal, items];
}

/** Asks a partition's object for its status. @throws {Problem} `partition-unavailable` */
export async function viewOf(
  { clock, config, functionPartitions, partitions }: Services,
  group: GroupName,
  partition: number,
  endsOf: EndsOf,
): Promise<PartitionView> {
  if (group === "auction") {
    const status = await partitions.call(partition, (object) => object.status());
    return auctionView(status, writtenTopics(config.topicPrefix), endsOf, clock.now());
  }
  const status = await functionPartitions[group].call(partition, (object) => object.functionGroupStatus());
  return functionGroupView(status, endsOf, clock.now());
}

/** Where topics begin and end. A log that does not answer leaves that open: what the objects tell is told. */
export async function findEnds(
  { clock, log, logger }: Pick<Services, "clock" | "log" | "logger">,
  names: readonly string[],
  partitions: readonly number[],
): Promise<EndsOf> {
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
