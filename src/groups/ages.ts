import { type KafkaLog, LogError, type TopicPartitionOffset } from "../kafka/port.ts";
import type { Clock } from "../lib/clock.ts";
import { describeError, type Logger } from "../lib/log.ts";
import { isSilent, type PartitionView, type ToldPartition } from "./view.ts";

/** For all that is fetched together, in milliseconds. */
const longestFetchesMs = 2_000;
/** As many connections as a Worker has; each answer may have a mebibyte. */
const mostAtOnce = 6;

/** The log, and how long it is waited for. */
export interface LogAccess {
  readonly log: KafkaLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

type TopicOf = PartitionView["topics"][number];

/**
 * How old the oldest unread record is, where there is one. The log tells times with records alone,
 * so that each place costs a fetch, whose size the protocol cannot bound.
 */
export async function withAges(access: LogAccess, views: readonly ToldPartition[]): Promise<ToldPartition[]> {
  const times = await timesAt(access, views.flatMap(unreadOf));
  const now = access.clock.now();
  const aged = (topic: TopicOf, partition: number): TopicOf => {
    if (!isBehind(topic)) return topic;
    const time = times.get(nameOf({ ...topic, partition, offset: topic.position }));
    return time === undefined ? topic : { ...topic, lagMs: Math.max(0, now - time) };
  };
  return views.map((view) =>
    isSilent(view) ? view : { ...view, topics: view.topics.map((topic) => aged(topic, view.partition)) },
  );
}

function isBehind({ lag }: TopicOf): boolean {
  return lag !== null && lag > 0;
}

function unreadOf(view: ToldPartition): TopicPartitionOffset[] {
  if (isSilent(view)) return [];
  const { partition, topics } = view;
  return topics.filter(isBehind).map(({ position: offset, topic }) => ({ topic, partition, offset }));
}

/** Several groups may wait for the same record. */
function nameOf({ offset, partition, topic }: TopicPartitionOffset): string {
  return `${topic}/${partition}/${offset}`;
}

/** The times of the first records from each place on, as far as the log tells them in time. */
async function timesAt(
  { clock, log, logger }: LogAccess,
  places: readonly TopicPartitionOffset[],
): Promise<Map<string, number>> {
  const waiting = new Map(places.map((place) => [nameOf(place), place]));
  const deadline = clock.now() + longestFetchesMs;
  const times = new Map<string, number>();
  const errors: LogError[] = [];
  const fetchOneByOne = async (): Promise<void> => {
    for (const [name, place] of waiting) {
      waiting.delete(name);
      try {
        const [first] = (await log.fetch(place, deadline)).records;
        // Another producer may have written none.
        if (first !== undefined && first.timestamp >= 0) times.set(name, first.timestamp);
      } catch (error) {
        if (!(error instanceof LogError)) throw error;
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: mostAtOnce }, fetchOneByOne));
  if (errors.length > 0)
    logger("warn", "ages-unknown", { places: errors.length, error: describeError(errors[0]) });
  return times;
}
