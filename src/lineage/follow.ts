import type { LogRecord } from "../kafka/port.ts";
import type { Clock } from "../lib/clock.ts";
import { type CalledWith, callsWith, type Invoked, type ReadersOf } from "./calls.ts";
import { type EventRecord, headersOf } from "./event-record.ts";
import { findEvent, type FoundEvent, type PartitionTrail, type Wanted, type WrittenNames } from "./find.ts";
import type { LogReads } from "./log-reads.ts";
import { type OutputPlaces, type Produced, type ProducedOutputs, readOutputs } from "./outputs.ts";

/** How far functions' own outputs are followed: to what is called with them, and with what that makes. */
const mostGenerations = 3;

/** Where lineage is looked for. */
export interface LineageSources {
  readonly clock: Clock;
  readonly reads: LogReads;
  readonly names: WrittenNames;
  readonly nameOf: OutputPlaces["nameOf"];
  readonly readersOf: ReadersOf;
}

/** An event and all that is known to have come of it. */
export interface Lineage extends ProducedOutputs {
  readonly found: FoundEvent;
  readonly partition: number;
  readonly invoked: readonly Invoked[];
}

/** Follows one event through partitions and groups. @throws {Problem} @throws {LogError} */
export async function followEvent(
  sources: LineageSources,
  trails: readonly PartitionTrail[],
  wanted: Wanted,
): Promise<Lineage> {
  const { reads, names, nameOf } = sources;
  const found = await findEvent(reads, names, trails, wanted);
  const { event, step } = found;
  const { partition } = event.place;
  const places = { partition, journal: names.journal, nameOf };
  const nothing = { events: [], count: 0, unsent: 0, isWhole: true };
  const outputs = step === undefined ? nothing : await readOutputs(reads, places, event, step);
  const first = [ofEvent(event, names), ...outputs.events];
  const { made, invoked } = await followFunctions(sources, first);
  return {
    found,
    partition,
    invoked,
    events: [...outputs.events, ...made],
    count: outputs.count + made.length,
    unsent: outputs.unsent,
    isWhole: outputs.isWhole && !reads.isSpent,
  };
}

function ofEvent({ id, place }: EventRecord, { items }: WrittenNames): CalledWith {
  return { role: place.topic === items ? "items" : "journal", record: place, id };
}

/** What functions did with records, with what they made of these, and so on. */
async function followFunctions(
  sources: LineageSources,
  first: readonly CalledWith[],
): Promise<{ readonly made: readonly Produced[]; readonly invoked: readonly Invoked[] }> {
  const made: Produced[] = [];
  const invoked: Invoked[] = [];
  let records = first;
  for (let generation = 0; generation < mostGenerations && records.length > 0; generation += 1) {
    const calls = await callsWith(sources.clock, sources.readersOf, records);
    invoked.push(...calls);
    const done = new Set(calls.filter(({ status }) => status === "done").map(({ event }) => event));
    const outputs = await functionOutputs(sources, records.filter(isProduced), done);
    made.push(...outputs);
    records = outputs;
  }
  return { made, invoked };
}

function isProduced(record: CalledWith): record is Produced {
  return "at" in record;
}

/**
 * What functions made of outputs. Such an event has the time of the record that it was made of, so
 * that the log itself says where it is at the earliest, and an id that begins with its coordinates.
 */
async function functionOutputs(
  { reads, nameOf }: LineageSources,
  inputs: readonly Produced[],
  done: ReadonlySet<string>,
): Promise<Produced[]> {
  const called = inputs.filter(({ id }) => done.has(id));
  const [earliest] = called.toSorted((left, right) => left.record.timestamp - right.record.timestamp);
  if (earliest === undefined) return [];
  const place = { topic: nameOf("validated"), partition: earliest.record.partition };
  const offset = await reads.since(earliest.record.timestamp, place);
  if (offset === undefined) return [];
  const records = await reads.from({ ...place, offset });
  return records.flatMap((record) => madeOf(record, called));
}

function madeOf(record: LogRecord, inputs: readonly Produced[]): Produced[] {
  const { id, type } = headersOf(record);
  const isOf = ({ record: { topic, partition, offset } }: Produced) =>
    id.startsWith(`${topic}/${partition}/${offset}/`);
  return inputs.some(isOf) ? [{ role: "validated", record, id, type, at: null }] : [];
}
