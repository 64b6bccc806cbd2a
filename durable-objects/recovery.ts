import { outputTopics, type OutputTopic } from "../src/auction/state.ts";
import type { LogRecord } from "../src/kafka/port.ts";
import { topics } from "../src/topics.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import { placeOf, type SentPlace } from "./sent-place.ts";

/**
 * How far back from a topic's end the last outputs are looked for. The last record need not be the
 * one with the highest sequence: a produce that was given up and repeated may land late, behind
 * newer ones. One produce holds at most 1,000 outputs, so this covers several that land late in a row.
 */
const tailRecords = 8_000;
const timeoutMs = 10_000;

/** What one output topic had of this group and partition when its storage was empty. */
export interface FoundOutputs {
  /** The highest sequence, 0 where there was none. */
  readonly sequence: number;
  /** The topic's end: no more outputs than that were ever written to it. */
  readonly end: number;
  /** How far in the journal the decisions came that the topic has outputs of; null where nothing tells. */
  readonly place: SentPlace | null;
}

/** What outputs' headers are read by. */
export interface OutputOrigin {
  /** `ce_source` of this group and partition. */
  readonly source: string;
  /** Journal topic as named in the log. */
  readonly journal: string;
}

/**
 * What this group and partition wrote to each output topic. Read before anything is applied on
 * empty storage: what is there is not sent again.
 * @throws {LogError}
 */
export async function findOutputs(
  dependencies: PartitionDependencies,
  origin: OutputOrigin,
): Promise<Record<OutputTopic, FoundOutputs>> {
  const [completed, notifications, deadLetters] = await Promise.all(
    outputTopics.map((role) =>
      findIn(dependencies, dependencies.settings.topicPrefix + topics[role], origin),
    ),
  );
  if (completed === undefined || notifications === undefined || deadLetters === undefined)
    throw new TypeError("there are three output topics");
  return { completed, notifications, deadLetters };
}

/** The highest sequence that a group and partition gave out in a topic, 0 where there is none. @throws {LogError} */
export async function findSequence(
  dependencies: PartitionDependencies,
  topic: string,
  source: string,
): Promise<number> {
  return (await findIn(dependencies, topic, { source, journal: "" })).sequence;
}

async function findIn(
  dependencies: PartitionDependencies,
  topic: string,
  origin: OutputOrigin,
): Promise<FoundOutputs> {
  const { clock, log, partition } = dependencies;
  const [last] = await log.offsets("latest", [{ topic, partition }], clock.now() + timeoutMs);
  const end = last?.offset ?? 0;
  let found: FoundOutputs = { sequence: 0, end, place: null };
  // To where a fetch finds nothing more: the end that was told may be too low after a failover.
  for (let offset = Math.max(0, end - tailRecords); ;) {
    const { records, next } = await log.fetch({ topic, partition, offset }, clock.now() + timeoutMs);
    for (const record of records) found = including(found, record, `${origin.journal}/${partition}/`, origin);
    const readOn = Math.max(next ?? 0, (records.at(-1)?.offset ?? -1) + 1);
    if (readOn <= offset) return { ...found, end: Math.max(end, offset) };
    offset = readOn;
  }
}

function including(
  found: FoundOutputs,
  { headers }: LogRecord,
  prefix: string,
  { source }: OutputOrigin,
): FoundOutputs {
  const header = (name: string): string => headers.find(({ key }) => key === name)?.value ?? "";
  if (header("ce_source") !== source) return found;
  const sequence = Math.max(found.sequence, Number(header("gavel_sequence")));
  const place = placeOf(header("ce_id"), prefix);
  return { ...found, sequence, place: later(found.place, place) };
}

function later(one: SentPlace | null, other: SentPlace | null): SentPlace | null {
  if (one === null || other === null) return one ?? other;
  const difference = one.offset - other.offset || one.count - other.count || one.index - other.index;
  return difference < 0 ? other : one;
}
