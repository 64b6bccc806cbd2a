import type { OutputStretch, TrailOutputs, TrailStep } from "../../durable-objects/trail/answer.ts";
import type { OutputTopic } from "../auction/state.ts";
import type { LogRecord, TopicPartition } from "../kafka/port.ts";
import { type EventRecord, headersOf, parseObject } from "./event-record.ts";
import type { LogReads } from "./log-reads.ts";

/** Outputs of one record that are listed, in each topic; the rest are counted. */
const mostListed = 100;
/** Fetches for what the trail has no place of: it was sent before a rebuild, or its place was lost. */
const mostSteps = 4;

/** An output that the log has. */
export interface Produced {
  readonly role: OutputTopic | "validated";
  readonly record: LogRecord;
  readonly id: string;
  readonly type: string;
  /** When the log acknowledged it; null where nobody knows any more. */
  readonly at: number | null;
}

export interface ProducedOutputs {
  readonly events: readonly Produced[];
  /** How many there are, also those that are not listed. */
  readonly count: number;
  /** How many of them the log has not got yet. */
  readonly unsent: number;
  /** Everything that should be listed was found. */
  readonly isWhole: boolean;
}

/** Where outputs are. */
export interface OutputPlaces {
  readonly partition: number;
  /** Journal topic as named in the log: outputs' ids begin with it. */
  readonly journal: string;
  readonly nameOf: (role: Produced["role"]) => string;
}

/** What a record made, and what another one made of it where that decided it. @throws {LogError} */
export async function readOutputs(
  reads: LogReads,
  places: OutputPlaces,
  { bidId, itemId }: EventRecord,
  { offset, outputs, decided }: TrailStep,
): Promise<ProducedOutputs> {
  const own = await readAll(reads, places, offset, outputs);
  if (decided === undefined || decided.outputs.length === 0) return own;
  const others = await readAll(reads, places, decided.by, decided.outputs);
  // What decided an event that had waited decided others as well; of what is unsent nobody can tell.
  const events = others.events.filter(({ record }) => isAbout(record, itemId, bidId));
  return {
    events: [...own.events, ...events],
    count: own.count + events.length + others.unsent,
    unsent: own.unsent + others.unsent,
    isWhole: own.isWhole && others.isWhole,
  };
}

/** @param by offset of the record that decided them */
async function readAll(
  reads: LogReads,
  places: OutputPlaces,
  by: number,
  outputs: readonly TrailOutputs[],
): Promise<ProducedOutputs> {
  const read = await Promise.all(outputs.map((ofTopic) => readTopic(reads, places, by, ofTopic)));
  return {
    events: read.flat(),
    count: outputs.reduce((sum, { count }) => sum + count, 0),
    unsent: outputs.reduce((sum, { unsent }) => sum + unsent, 0),
    isWhole: outputs.every(
      ({ count, unsent }, index) => (read[index]?.length ?? 0) >= Math.min(mostListed, count - unsent),
    ),
  };
}

/** A notification of this bid, or of one that it displaced. */
function isAbout({ key, value }: LogRecord, itemId: string, bidId: string | undefined): boolean {
  if (key !== itemId || bidId === undefined) return false;
  const data = parseObject(value);
  const highest = data["highest"] as { readonly bidId?: unknown } | undefined;
  return highest === undefined ? data["bidId"] === bidId : highest.bidId === bidId;
}

async function readTopic(
  reads: LogReads,
  { partition, journal, nameOf }: OutputPlaces,
  by: number,
  outputs: TrailOutputs,
): Promise<readonly Produced[]> {
  const { topic: role, stretches } = outputs;
  const place = { topic: nameOf(role), partition };
  const prefix = `${journal}/${partition}/${by}/`;
  const records =
    stretches.length > 0
      ? await readStretches(reads, place, stretches)
      : await searchFrom(reads, place, outputs);
  const seen = new Set<string>();
  return records.flatMap(([record, at]) => {
    const { id, type } = headersOf(record);
    // An append that was in doubt may be there twice.
    if (!id.startsWith(prefix) || seen.has(id) || seen.size === mostListed) return [];
    seen.add(id);
    return [{ role, record, id, type, at }];
  });
}

async function readStretches(
  reads: LogReads,
  place: TopicPartition,
  stretches: readonly OutputStretch[],
): Promise<readonly (readonly [LogRecord, number])[]> {
  const found: (readonly [LogRecord, number])[] = [];
  for (const { offset, count, at } of stretches) {
    const records = await reads.from({ ...place, offset });
    for (const record of records) if (record.offset < offset + count) found.push([record, at]);
    if (found.length >= mostListed) break;
  }
  return found;
}

/**
 * Looks for outputs whose place is not known. Sequences follow the offsets, so that a run that ends
 * before the wanted one says how far it is at least.
 */
async function searchFrom(
  reads: LogReads,
  place: TopicPartition,
  { sequence, count, unsent, notBefore }: TrailOutputs,
): Promise<readonly (readonly [LogRecord, null])[]> {
  const last = sequence + count - unsent - 1;
  const found: (readonly [LogRecord, null])[] = [];
  if (last < sequence) return found;
  let offset = notBefore;
  for (let step = 0; step < mostSteps && found.length < mostListed; step += 1) {
    const records = await reads.from({ ...place, offset });
    const end = records.at(-1);
    if (end === undefined) break;
    for (const record of records) {
      const its = headersOf(record).sequence;
      if (its >= sequence && its <= last) found.push([record, null]);
    }
    const reached = headersOf(end).sequence;
    if (reached >= last) break;
    offset = end.offset + Math.max(1, sequence - reached);
  }
  return found;
}
