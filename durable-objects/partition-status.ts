import type { JournalState } from "./journal-state.ts";
import type { PartitionStatus, TopicProgress } from "./rpc.ts";

interface Told extends Pick<PartitionStatus, "partition" | "journal" | "items"> {
  readonly stalled: string | undefined;
}

/** What a partition of group `auction` tells of itself. */
export function partitionStatus(
  { outbox, store }: Pick<JournalState, "outbox" | "store">,
  { stalled, ...told }: Told,
): PartitionStatus {
  const { state } = store;
  return {
    ...told,
    streamTime: state.streamTime,
    outbox: outbox.unsent,
    deadLettered: state.deadLettered,
    lostOffsets: state.lostOffsets,
    ...(state.lastLoss === null ? {} : { lastLoss: state.lastLoss }),
    ...(stalled === undefined ? {} : { stalled }),
  };
}

/** @param position first offset that has not taken effect */
export function progressOf(position: number, isBehind: boolean, topicId: string | undefined): TopicProgress {
  return { position, endOffset: isBehind ? null : position, ...(topicId === undefined ? {} : { topicId }) };
}
