import { LogError, type LogOffset } from "../kafka/port.ts";
import { describeError } from "../lib/log.ts";
import { Problem } from "../lib/problem.ts";
import type { FunctionPartitions, Partitions } from "../partitions.ts";
import { topics, writtenTopics } from "../topics.ts";
import { functionGroups, type GroupName } from "../topology.ts";
import { type LogAccess, withAges } from "./ages.ts";
import {
  auctionView,
  type EndsOf,
  functionGroupView,
  type PartitionView,
  type ToldPartition,
} from "./view.ts";

/** Longest wait for the log, in milliseconds. */
const longestOffsetsMs = 5_000;
/** Longest wait for an object: all three waits together end before Prometheus gives up, after 10 s. */
const longestStatusMs = 2_000;

/** What the Worker's services have of it. */
export interface GroupsAccess extends LogAccess {
  readonly config: { readonly topicPrefix: string };
  readonly partitions: Partitions;
  readonly functionPartitions: FunctionPartitions;
}

/** One partition of a group. */
interface GroupPlace {
  readonly group: GroupName;
  readonly partition: number;
}

/** What an object told of itself, as soon as it is known where its topics end. */
type Told = (endsOf: EndsOf) => PartitionView;

/** The topics that a group reads, as they are named in the log. */
export function topicsOf(group: GroupName, topicPrefix: string): string[] {
  if (group !== "auction") return [topicPrefix + topics[functionGroups[group].topic]];
  const { items, journal } = writtenTopics(topicPrefix);
  return [journal, items];
}

/**
 * Asks the log and the partitions' objects side by side. An object that fails or takes too long keeps
 * no other's figures back: it is told as silent.
 */
export async function viewsOf(access: GroupsAccess, places: readonly GroupPlace[]): Promise<ToldPartition[]> {
  const names = new Set(places.flatMap(({ group }) => topicsOf(group, access.config.topicPrefix)));
  const partitions = new Set(places.map(({ partition }) => partition));
  const [endsOf, told] = await Promise.all([
    findEnds(access, [...names], [...partitions]),
    askAll(access, places),
  ]);
  const views = places.map((place, index): ToldPartition => {
    const stalled = `Partition ${place.partition} does not answer`;
    return told[index]?.(endsOf) ?? { group: place.group, partition: place.partition, stalled };
  });
  return withAges(access, views);
}

/** Whether an operator holds a partition; not where its object does not answer in time. Asks the log for nothing. */
export async function isPaused(access: GroupsAccess, place: GroupPlace): Promise<boolean> {
  const [told] = await askAll(access, [place]);
  return told?.(() => ({ start: null, end: null })).paused ?? false;
}

/** Null for an object that does not answer in time. */
async function askAll(access: GroupsAccess, places: readonly GroupPlace[]): Promise<(Told | null)[]> {
  const { clock, logger } = access;
  const rest = new AbortController();
  const late = clock.sleep(longestStatusMs, rest.signal).then(() => "in time" as const);
  const told = await Promise.all(
    places.map(async (place) => {
      const silent = (error: string): null => {
        logger("warn", "status-unknown", { group: place.group, partition: place.partition, error });
        return null;
      };
      const asked = ask(access, place).catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        return silent(describeError(error.cause));
      });
      const answer = await Promise.race([asked, late]);
      return answer === "in time" ? silent(`no answer within ${longestStatusMs} ms`) : answer;
    }),
  );
  rest.abort();
  return told;
}

/** @throws {Problem} `partition-unavailable` */
async function ask(
  { config, functionPartitions, partitions }: GroupsAccess,
  { group, partition }: GroupPlace,
): Promise<Told> {
  if (group === "auction") {
    const status = await partitions.call(partition, (object) => object.status());
    return (endsOf) => auctionView(status, writtenTopics(config.topicPrefix), endsOf);
  }
  const objects = functionPartitions[group];
  const status = await objects.call(partition, (object) => object.functionGroupStatus());
  return (endsOf) => functionGroupView(status, endsOf);
}

/** Where topics begin and end. A log that does not answer leaves that open: what the objects tell is told. */
async function findEnds(
  { clock, log, logger }: LogAccess,
  names: readonly string[],
  partitions: readonly number[],
): Promise<EndsOf> {
  const wanted = names.flatMap((topic) => partitions.map((partition) => ({ topic, partition })));
  const deadline = clock.now() + longestOffsetsMs;
  const askFor = async (at: "earliest" | "latest"): Promise<readonly LogOffset[]> => {
    try {
      return await log.offsets(at, wanted, deadline);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      logger("warn", "log-ends-unknown", { code: error.code, error: describeError(error) });
      return [];
    }
  };
  const [starts, ends] = await Promise.all([askFor("earliest"), askFor("latest")]);
  return (topic, partition) => {
    const offsetIn = (offsets: readonly LogOffset[]): number | null =>
      offsets.find((one) => one.topic === topic && one.partition === partition)?.offset ?? null;
    return { start: offsetIn(starts), end: offsetIn(ends) };
  };
}
