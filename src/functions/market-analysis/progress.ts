import type { FunctionGroupRpc } from "../../../durable-objects/functions/rpc.ts";
import type { Objects } from "../../objects.ts";
import type { FunctionGroupName } from "../../topology.ts";

/** The group that keeps the read model. */
const keeper = "analytics" satisfies FunctionGroupName;

/** How far the read model is with one partition of `auction.completed`. */
export interface ReadModelProgress {
  /** Every record before this offset is stored, or ended otherwise. */
  readonly finished: number;
  /** The next offset to be read. */
  readonly read: number;
  /** The log's time of the last record that was read, in milliseconds since the epoch. */
  readonly readTime: number;
}

/** @throws where the group's object does not answer */
export type ReadProgress = (partition: number) => Promise<ReadModelProgress>;

export function createReadProgress(objects: Objects): ReadProgress {
  return async (partition) => {
    const object = objects.getByName(`${keeper}/${partition}`) as FunctionGroupRpc;
    const { functions, position: read, readTime } = await object.functionGroupStatus();
    const unfinished = functions.map(({ oldestUnfinished, position }) => oldestUnfinished ?? position);
    return { finished: Math.min(read, ...unfinished), read, readTime };
  };
}

/**
 * Whether the read model has gone past an auction: then what it does not have it will not get, and
 * waiting for it would hold up what comes behind.
 *
 * A notification tells no offset of its auction's completion; but both records have the stream time at
 * which it closed, and in a topic that never falls. So what closed before the last record that was read
 * lies before the place to which was read.
 */
export class Passing {
  private mark = { upTo: Number.NEGATIVE_INFINITY, offset: 0 };

  /** @param closedAt the record's timestamp */
  isPast({ finished, read, readTime }: ReadModelProgress, closedAt: number): boolean {
    if (closedAt > this.mark.upTo && closedAt < readTime) this.mark = { upTo: readTime - 1, offset: read };
    return closedAt <= this.mark.upTo && finished >= this.mark.offset;
  }
}
