import { z } from "zod";
import { formatTimestamp } from "../lib/time.ts";
import { AnalysisError, type RecordAnalysis } from "./analysis.ts";

const mostBuckets = 2_000;
/** Types told apart; the rest counts as one. */
const mostTypes = 50;
const otherTypes = "other";
const longestType = 100;

const parameters = z.strictObject({
  /** Length of a bucket; buckets are aligned to the epoch. */
  bucketSeconds: z.int().min(1).max(31_536_000).default(3_600),
});

interface State {
  /** CloudEvents types in the order in which they came. */
  readonly types: string[];
  /** Records by type, of a bucket's start in milliseconds since the epoch. */
  readonly buckets: Record<string, number[]>;
}

/** How many records of each type there were, by their own timestamps, in buckets of time. */
export const eventRates: RecordAnalysis<z.output<typeof parameters>, State> = {
  reads: "records",
  topics: ["journal", "items", "completed", "notifications", "validated", "deadLetters"],
  parameters,
  start: () => ({ types: [], buckets: {} }),

  apply(state, { headers, timestamp }, { bucketSeconds }) {
    const type = headers.find(({ key }) => key === "ce_type")?.value ?? "";
    const length = bucketSeconds * 1_000;
    add(state, String(Math.floor(timestamp / length) * length), type.slice(0, longestType), 1);
  },

  merge(merged, { types, buckets }) {
    for (const [start, counts] of Object.entries(buckets)) {
      for (const [index, count] of counts.entries())
        if (count > 0) add(merged, start, types[index] ?? otherTypes, count);
    }
    return merged;
  },

  result: ({ types, buckets }, { bucketSeconds }) => ({
    bucketSeconds,
    buckets: Object.entries(buckets)
      .map(([start, counts]) => ({ start: Number(start), counts }))
      .toSorted((left, right) => left.start - right.start)
      .map(({ start, counts }) => ({
        start: formatTimestamp(start),
        records: counts.reduce((total, count) => total + count, 0),
        types: Object.fromEntries(
          types.flatMap((type, index) => ((counts[index] ?? 0) > 0 ? [[type, counts[index]]] : [])),
        ),
      })),
  }),
};

function add({ types, buckets }: State, start: string, type: string, count: number): void {
  let index = types.indexOf(type);
  if (index === -1) index = types.length < mostTypes ? types.push(type) - 1 : indexOfOther(types);
  const counts = (buckets[start] ??= newBucket(buckets));
  while (counts.length <= index) counts.push(0);
  counts[index] = (counts[index] ?? 0) + count;
}

function indexOfOther(types: string[]): number {
  const index = types.indexOf(otherTypes);
  return index === -1 ? types.push(otherTypes) - 1 : index;
}

function newBucket(buckets: State["buckets"]): number[] {
  if (Object.keys(buckets).length < mostBuckets) return [];
  throw new AnalysisError(`the stretch spans more than ${mostBuckets} buckets; ask for longer ones`);
}
