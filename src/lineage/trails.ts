import { partitionFor } from "../kafka/partitioner.ts";
import type { Clock } from "../lib/clock.ts";
import { Problem } from "../lib/problem.ts";
import type { Partitions } from "../partitions.ts";
import type { PartitionTrail } from "./find.ts";

/** Longest wait for a partition, in milliseconds. */
const longestMs = 2_000;

export interface Trails {
  readonly answered: readonly PartitionTrail[];
  /** Why what is not found may be there all the same: a partition does not answer. */
  readonly silence?: Problem;
}

/** Asks the item's partition for an id, or every partition where no item is named, side by side. */
export async function trailsOf(
  { clock, partitions }: { readonly clock: Clock; readonly partitions: Partitions },
  id: string,
  itemId: string | undefined,
): Promise<Trails> {
  const { count } = partitions;
  const asked =
    itemId === undefined
      ? Array.from({ length: count }, (_, partition) => partition)
      : [partitionFor(itemId, count)];
  const rest = new AbortController();
  const late = clock.sleep(longestMs, rest.signal);
  const answers = await Promise.all(asked.map((partition) => ask(partitions, partition, id, late)));
  rest.abort();
  const silence = answers.find((answer) => answer instanceof Problem);
  return {
    answered: answers.filter((answer): answer is PartitionTrail => !(answer instanceof Problem)),
    ...(silence === undefined ? {} : { silence }),
  };
}

async function ask(
  partitions: Partitions,
  partition: number,
  id: string,
  late: Promise<void>,
): Promise<PartitionTrail | Problem> {
  const silent = () => new Problem("partition-unavailable", `Partition ${partition} does not answer`);
  try {
    const answered = partitions.call(partition, (object) => object.trailOf(id));
    const answer = await Promise.race([answered, late.then(() => undefined)]);
    return answer === undefined ? silent() : { ...answer, partition };
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}
