import type { TopicAssignment } from "../groups.ts";

/** A member as the assignment sees it. */
export interface Candidate {
  /** Orders the members: the same members share in the same way each time. */
  readonly name: string;
  readonly topics: readonly string[];
}

/**
 * Kafka's range assignment: of each topic, every member that subscribes to it takes a run of
 * partitions, and the first take one more where they cannot be shared evenly.
 * @param counts topic → partitions; a topic that is not in it is left out.
 * @returns an entry for each candidate, in the same order.
 */
export function assignRanges(
  candidates: readonly Candidate[],
  counts: ReadonlyMap<string, number>,
): TopicAssignment[][] {
  const assigned = candidates.map((): TopicAssignment[] => []);
  const order = [...candidates.keys()].sort((a, b) => compare(candidates[a]?.name, candidates[b]?.name));
  const topics = new Set(candidates.flatMap((candidate) => candidate.topics));
  for (const topic of [...topics].sort()) {
    const takers = order.filter((index) => candidates[index]?.topics.includes(topic));
    const count = counts.get(topic) ?? 0;
    for (const [place, index] of takers.entries()) {
      const start = Math.ceil((count * place) / takers.length);
      const end = Math.ceil((count * (place + 1)) / takers.length);
      const partitions = Array.from({ length: end - start }, (_, offset) => start + offset);
      if (partitions.length > 0) assigned[index]?.push({ topic, partitions });
    }
  }
  return assigned;
}

function compare(a = "", b = ""): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
