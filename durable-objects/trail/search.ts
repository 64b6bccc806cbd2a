import { outputTopics, type OutputTopic } from "../../src/auction/state.ts";
import type { PartitionStorage } from "../dependencies.ts";
import type { OutputStretch, TrailOutputs, TrailStep } from "./answer.ts";
import { type Appended, type Entry, type PlacedEntry, visitSteps } from "./steps.ts";
import type { Trail } from "./trail.ts";

/** Records that one question is answered with, and repetitions beside them: a client may have sent one often. */
const mostSteps = 16;
const mostRepetitions = 8;
/** Pages whose hashes are read together. */
const pagesTogether = 64;
/** So many pages behind a record its outputs are looked for: the outbox may have been that far behind. */
const pagesBehind = 16;
const mostStretches = 8;

interface Stretch {
  /** Beyond every stored page's where it is the tail. */
  readonly page: number;
  readonly hashes: Uint32Array;
  readonly steps: () => Uint8Array;
}

interface Found {
  readonly page: number;
  readonly entry: Entry;
  readonly placed: PlacedEntry;
}

/** First sequence of a topic that the log has not acknowledged; beyond every one where it has all. */
type UnsentFrom = (topic: OutputTopic) => number;

/** What the trail has of the records with a hash, newest first. */
export function searchTrail(
  storage: PartitionStorage,
  trail: Trail,
  hash: number,
  unsentFrom: UnsentFrom,
): readonly TrailStep[] {
  // What had waited is there twice: where it came, and where it was judged.
  const judged = new Map<number, Found>();
  const came: Found[] = [];
  let [firsts, repetitions] = [0, 0];
  for (const stretch of stretches(storage, trail)) {
    for (const found of entriesOf(stretch, hash)) {
      const { isLate, isDuplicate, offset } = found.entry;
      if (isLate) judged.set(offset, found);
      else if (isDuplicate ? (repetitions += 1) <= mostRepetitions : (firsts += 1) <= mostSteps)
        came.push(found);
    }
    if (firsts >= mostSteps) break;
  }
  return came.map((found) => stepOf(storage, trail, found, judged.get(found.entry.offset), unsentFrom));
}

/** The tail, then the pages from the newest on. */
function* stretches(storage: PartitionStorage, trail: Trail): Generator<Stretch> {
  const { hashes, steps } = trail.tail;
  yield { page: Number.MAX_SAFE_INTEGER, hashes, steps: () => steps };
  for (let below = Number.MAX_SAFE_INTEGER; ;) {
    const rows = storage.all<{ page: number; hashes: ArrayBuffer }>(
      `SELECT page, hashes FROM trail WHERE page < ? ORDER BY page DESC LIMIT ?`,
      below,
      pagesTogether,
    );
    for (const row of rows) {
      const { page } = row;
      yield { page, hashes: new Uint32Array(row.hashes), steps: () => stepsOf(storage, page) };
      below = page;
    }
    if (rows.length < pagesTogether) return;
  }
}

function stepsOf(storage: PartitionStorage, page: number): Uint8Array {
  const [row] = storage.all<{ steps: ArrayBuffer }>(`SELECT steps FROM trail WHERE page = ?`, page);
  return new Uint8Array(row?.steps ?? new ArrayBuffer(0));
}

/** Newest first. */
function entriesOf({ page, hashes, steps }: Stretch, hash: number): Found[] {
  const wanted = new Set<number>();
  for (let index = hashes.indexOf(hash); index !== -1; index = hashes.indexOf(hash, index + 1))
    wanted.add(index);
  if (wanted.size === 0) return [];
  const found: Found[] = [];
  visitSteps(steps(), {
    entry: (index, entry, placed) => {
      if (wanted.has(index)) found.push({ page, entry, placed });
    },
  });
  return found.toReversed();
}

function stepOf(
  storage: PartitionStorage,
  trail: Trail,
  came: Found,
  judged: Found | undefined,
  unsentFrom: UnsentFrom,
): TrailStep {
  const { offset } = came.entry;
  const { fate, isDuplicate } = (judged ?? came).entry;
  const { decidedBy: by, head } = (judged ?? came).placed;
  const outputs = judged === undefined ? [] : outputsOf(storage, trail, judged, unsentFrom);
  return {
    offset,
    appliedAt: came.placed.head.at,
    fate,
    isDuplicate,
    outputs: outputsOf(storage, trail, came, unsentFrom),
    ...(fate === "waiting" ? {} : { decided: { by, at: head.at, outputs } }),
  };
}

function outputsOf(
  storage: PartitionStorage,
  trail: Trail,
  { page, placed }: Found,
  unsentFrom: UnsentFrom,
): readonly TrailOutputs[] {
  const { before, made } = placed;
  const topics = outputTopics.filter((topic) => made[topic] > 0);
  if (topics.length === 0) return [];
  const appended = appendedFrom(storage, trail, page);
  return topics.map((topic) => {
    const sequence = before[topic] + 1;
    const count = made[topic];
    const end = sequence + count;
    const ofTopic = appended.filter((stretch) => stretch.topic === topic);
    const earlier = ofTopic.filter((stretch) => stretch.sequence < sequence).at(-1);
    return {
      topic,
      sequence,
      count,
      unsent: Math.min(count, Math.max(0, end - unsentFrom(topic))),
      stretches: ofTopic.flatMap((stretch) => cut(stretch, sequence, end)).slice(0, mostStretches),
      // Each output takes an offset at least, so that none lies before what its sequence says.
      notBefore: Math.max(
        sequence - 1,
        earlier === undefined ? 0 : earlier.offset + sequence - earlier.sequence,
      ),
    };
  });
}

/** What the log took from a page on, in order. */
function appendedFrom(storage: PartitionStorage, trail: Trail, page: number): readonly Appended[] {
  const rows = storage.all<{ steps: ArrayBuffer }>(
    `SELECT steps FROM trail WHERE page BETWEEN ? AND ? ORDER BY page`,
    page,
    Math.min(page, Number.MAX_SAFE_INTEGER - pagesBehind) + pagesBehind,
  );
  const appended: Appended[] = [];
  const parts = rows.map(({ steps }) => new Uint8Array(steps));
  for (const steps of [...parts, trail.tail.steps])
    visitSteps(steps, { appended: (stretch) => appended.push(stretch) });
  return appended;
}

/** The part of a stretch whose sequences are from `sequence` on and before `end`. */
function cut(stretch: Appended, sequence: number, end: number): OutputStretch[] {
  const first = Math.max(sequence, stretch.sequence);
  const count = Math.min(end, stretch.sequence + stretch.count) - first;
  if (count <= 0) return [];
  return [{ sequence: first, offset: stretch.offset + first - stretch.sequence, count, at: stretch.at }];
}
