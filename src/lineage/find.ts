import type { TrailAnswer, TrailStep } from "../../durable-objects/trail/answer.ts";
import type { TopicPartition } from "../kafka/port.ts";
import { Problem } from "../lib/problem.ts";
import { eventOf, type EventRecord, headersOf } from "./event-record.ts";
import type { LogReads } from "./log-reads.ts";

/** Whose lineage is asked for. */
export interface Wanted {
  readonly id: string;
  readonly source?: string;
  readonly itemId?: string;
  /** Subject of its sender, `""` for one that is bound to none. */
  readonly sender?: string;
  /** The only subject whose events may be seen; absent for a back end that may see all. */
  readonly subject?: string;
}

/** One partition's answer to the question where records with the id are. */
export interface PartitionTrail extends TrailAnswer {
  readonly partition: number;
}

/** A record of the wanted event. */
interface Match {
  readonly event: EventRecord;
  /** Absent: the partition has not applied it. */
  readonly step?: TrailStep;
  /** Next journal offset that the partition applies. */
  readonly position: number;
}

/** The event, at the record that counts, and the records that repeated it. */
export interface FoundEvent extends Match {
  readonly repetitions: readonly EventRecord[];
}

/** As named in the log. */
export interface WrittenNames {
  readonly items: string;
  readonly journal: string;
}

/** Partitions whose unread records are looked at for one that is not applied yet. */
const mostBehind = 6;

/**
 * Finds the event that is asked for: where its partition applied it, or else where the log has records
 * that no partition has come to.
 * @throws {Problem} `unknown-event`; `ambiguous-event` where it may be one of several; and
 * `partition-unavailable` where it may be among records that nobody has looked at
 * @throws {LogError}
 */
export async function findEvent(
  reads: LogReads,
  names: WrittenNames,
  trails: readonly PartitionTrail[],
  wanted: Wanted,
): Promise<FoundEvent> {
  const applied = await appliedMatches(reads, names, trails, wanted);
  const unread = applied.length > 0 ? undefined : await unreadMatches(reads, names, trails, wanted);
  const matches = unread?.matches ?? applied;
  const [first] = matches;
  if (first === undefined && unread?.isWhole === false)
    throw new Problem("partition-unavailable", "Partitions have not come to all that the log has yet");
  if (first === undefined) throw new Problem("unknown-event", "No recent event that you may see has this id");
  const identities = new Set(matches.map(({ event }) => identityOf(event)));
  if (identities.size > 1) {
    const told = [...identities].slice(0, 5).join(", ");
    throw new Problem("ambiguous-event", `Several events have this id; say what one is of: ${told}`);
  }
  const chosen = matches.findLast(isFirst) ?? first;
  const repetitions = matches.filter((match) => match !== chosen && !isRelayedAgain(match));
  return { ...chosen, repetitions: repetitions.map(({ event }) => event) };
}

/** Under what it is applied once, as its parameters say it. */
function identityOf({ edge, itemId, source }: EventRecord): string {
  return `source=${source} item=${itemId} subject=${edge?.subject ?? ""}`;
}

/** It was judged itself, and not told what had been judged before. */
function isFirst({ step }: Match): boolean {
  return step !== undefined && !step.isDuplicate && step.fate !== "none";
}

/** The relay was not sure whether the journal had the opening: the listing itself was sent once. */
function isRelayedAgain({ step }: Match): boolean {
  return step?.fate === "none";
}

/** Newest first of each partition. */
async function appliedMatches(
  reads: LogReads,
  { items, journal: topic }: WrittenNames,
  trails: readonly PartitionTrail[],
  wanted: Wanted,
): Promise<Match[]> {
  const matches: Match[] = [];
  for (const { partition, position, steps } of trails) {
    for (const step of steps) {
      const record = await reads.at({ topic, partition, offset: step.offset });
      const event = record === undefined ? undefined : eventOf(record, items);
      if (event !== undefined && isWanted(event, wanted)) matches.push({ event, step, position });
    }
  }
  return matches;
}

interface UnreadMatches {
  readonly matches: readonly Match[];
  /** Everything that no partition has come to was looked at. */
  readonly isWhole: boolean;
}

/** What lies behind the positions, of a few partitions that lag and as far as one fetch reaches. */
async function unreadMatches(
  reads: LogReads,
  { items, journal }: WrittenNames,
  trails: readonly PartitionTrail[],
  wanted: Wanted,
): Promise<UnreadMatches> {
  const unread = trails.flatMap(({ partition, position, itemsPosition }) => [
    { topic: journal, partition, offset: position, position },
    { topic: items, partition, offset: itemsPosition, position },
  ]);
  const ends = await reads.ends(unread.map(({ topic, partition }) => ({ topic, partition })));
  const behind = unread.flatMap((place) => {
    const isOf = (end: TopicPartition) => end.topic === place.topic && end.partition === place.partition;
    const end = ends.find(isOf)?.offset ?? 0;
    return end > place.offset ? [{ ...place, end }] : [];
  });
  const looked = await Promise.all(
    behind.slice(0, mostBehind).map(async ({ position, end, ...place }) => {
      const records = await reads.from(place);
      const matches = records
        .filter((record) => headersOf(record).id === wanted.id)
        .map((record) => eventOf(record, items))
        .filter((event) => isWanted(event, wanted))
        .map((event) => ({ event, position }));
      // Where the log has nothing from there on, there is nothing that was left out.
      return { matches, isWhole: (records.at(-1)?.offset ?? end) + 1 >= end };
    }),
  );
  return {
    matches: looked.flatMap(({ matches }) => matches),
    isWhole: behind.length <= mostBehind && looked.every(({ isWhole }) => isWhole) && !reads.isSpent,
  };
}

function isWanted({ id, source, itemId, edge }: EventRecord, wanted: Wanted): boolean {
  return (
    id === wanted.id &&
    (wanted.source === undefined || source === wanted.source) &&
    (wanted.itemId === undefined || itemId === wanted.itemId) &&
    (wanted.sender === undefined || (edge?.subject ?? "") === wanted.sender) &&
    (wanted.subject === undefined || edge?.subject === wanted.subject)
  );
}
