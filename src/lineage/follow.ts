import type { Clock } from "../lib/clock.ts";
import { type CalledWith, callsWith, type Invoked, type ReadersOf } from "./calls.ts";
import { type EventRecord, headersOf } from "./event-record.ts";
import { findEvent, type FoundEvent, type PartitionTrail, type Wanted, type WrittenNames } from "./find.ts";
import { groups } from "../topology.ts";
import type { LogReads } from "./log-reads.ts";
import { type OutputPlaces, type Produced, type ProducedOutputs, readOutputs } from "./outputs.ts";

/** How far functions' own outputs are followed: to what is called with them, and with what that makes. */
const mostGenerations = 3;
/** Fetches for what functions made of one generation. */
const mostRuns = 4;

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
  const { made, invoked, isWhole } = await followFunctions(sources, first);
  return {
    found,
    partition,
    invoked,
    events: [...outputs.events, ...made],
    count: outputs.count + made.length,
    unsent: outputs.unsent,
    isWhole: outputs.isWhole && isWhole && !reads.isSpent,
  };
}

function ofEvent({ id, place }: EventRecord, { items }: WrittenNames): CalledWith {
  return { role: place.topic === items ? "items" : "journal", record: place, id };
}

interface Made {
  readonly made: readonly Produced[];
  /** Of every record that a function is done with what it made was found. */
  readonly isWhole: boolean;
}

/** What functions did with records, with what they made of these, and so on. */
async function followFunctions(
  sources: LineageSources,
  first: readonly CalledWith[],
): Promise<Made & { readonly invoked: readonly Invoked[] }> {
  const made: Produced[] = [];
  const invoked: Invoked[] = [];
  let isWhole = true;
  let records = first;
  for (let generation = 0; generation < mostGenerations && records.length > 0; generation += 1) {
    const calls = await callsWith(sources.clock, sources.readersOf, records);
    invoked.push(...calls);
    // The others write no events.
    const writing = calls.filter(({ group, status }) => group === groups.enrich && status === "done");
    const done = new Set(writing.map(({ event }) => event));
    const outputs = await functionOutputs(sources, records.filter(isProduced), done);
    made.push(...outputs.made);
    isWhole &&= outputs.isWhole;
    records = outputs.made;
  }
  return { made, invoked, isWhole };
}

function isProduced(record: CalledWith): record is Produced {
  return "at" in record;
}

/**
 * What functions made of outputs. Such an event has the time of the record that it was made of, so
 * that the log itself says where it is at the earliest, and an id that begins with its coordinates.
 * One that was made late, after retries or a pause, is behind those of later records.
 */
async function functionOutputs(
  { reads, nameOf }: LineageSources,
  inputs: readonly Produced[],
  done: ReadonlySet<string>,
): Promise<Made> {
  const called = inputs.filter(({ id }) => done.has(id));
  const [earliest] = called.toSorted((left, right) => left.record.timestamp - right.record.timestamp);
  if (earliest === undefined) return { made: [], isWhole: true };
  const place = { topic: nameOf("validated"), partition: earliest.record.partition };
  let offset = (await reads.since(earliest.record.timestamp, place)) ?? 0;
  const made: Produced[] = [];
  const missing = new Set(called);
  for (let run = 0; run < mostRuns && missing.size > 0; run += 1) {
    const records = await reads.from({ ...place, offset });
    for (const record of records) {
      const { id, type } = headersOf(record);
      const input = called.find(({ record: of }) =>
        id.startsWith(`${of.topic}/${of.partition}/${of.offset}/`),
      );
      if (input === undefined) continue;
      missing.delete(input);
      made.push({ role: "validated", record, id, type, at: null });
    }
    const last = records.at(-1);
    if (last === undefined) break;
    offset = last.offset + 1;
  }
  return { made, isWhole: missing.size === 0 };
}
