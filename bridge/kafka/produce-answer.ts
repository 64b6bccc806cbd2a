import type { produceV11 } from "@platformatic/kafka";
import { LogFailure } from "../log.ts";
import type { Cluster } from "./cluster.ts";
import { errorName, failureFromCode } from "./errors.ts";
import type { PartitionQueue } from "./partition-queue.ts";

export type ProduceResponse = ReturnType<typeof produceV11.parseResponse>;
type PartitionResponse = ProduceResponse["responses"][number]["partitionResponses"][number];

/** What an attempt to append a batch came to. */
export type PartitionAnswer =
  | {
      readonly kind: "appended";
      readonly baseOffset: number;
      readonly topicId: string;
      /** Of a topic with LogAppendTime: the broker's clock, which took the place of the records' own. */
      readonly appendTime: number | null;
    }
  /** The same batch may be sent again. */
  | { readonly kind: "again"; readonly failure: LogFailure }
  /** The broker does not know the producer any more: the batch needs another. */
  | { readonly kind: "renew"; readonly failure: LogFailure }
  /** Nothing of it was appended; in parts, some of it may be. */
  | { readonly kind: "apart"; readonly failure: LogFailure }
  | { readonly kind: "failed"; readonly failure: LogFailure };

/** The producer's state at the broker is gone, or is not what the batch goes on from. */
const stateIsLost = new Set([
  "OUT_OF_ORDER_SEQUENCE_NUMBER",
  "UNKNOWN_PRODUCER_ID",
  "INVALID_PRODUCER_EPOCH",
  "INVALID_PRODUCER_ID_MAPPING",
  "PRODUCER_FENCED",
]);

/** One record is at fault, and the broker refuses the others of its batch with it. */
const recordIsAtFault = new Set(["INVALID_RECORD", "INVALID_TIMESTAMP"]);

function find(
  response: ProduceResponse,
  queue: Pick<PartitionQueue, "topic" | "partition">,
): PartitionResponse | undefined {
  return response.responses
    .find(({ name }) => name === queue.topic)
    ?.partitionResponses.find(({ index }) => index === queue.partition);
}

/**
 * What a batch's offset says of the log that took it. Right behind the last one it is the same log.
 * Behind a stretch, others wrote in between, or it is another log that has outgrown ours. Before the
 * last one, or where there is no last one, nothing ties it to the topic in view.
 */
export function doubtOf(
  response: ProduceResponse,
  { topic, partition, lastOffset }: PartitionQueue,
): "none" | "others-wrote" | "another-log" {
  const found = find(response, { topic, partition });
  if (found === undefined || found.errorCode !== 0) return "none";
  const baseOffset = Number(found.baseOffset);
  if (lastOffset < 0 || baseOffset <= lastOffset) return "another-log";
  return baseOffset === lastOffset + 1 ? "none" : "others-wrote";
}

export function answerFor(
  queue: PartitionQueue,
  response: ProduceResponse,
  cluster: Cluster,
): PartitionAnswer {
  const subject = `${queue.topic}/${queue.partition}`;
  const found = find(response, queue);
  if (found === undefined) {
    const failure = new LogFailure("unavailable", "unknown", `Kafka's answer leaves out ${subject}`);
    return { kind: "again", failure };
  }
  if (found.errorCode === 0) {
    return {
      kind: "appended",
      baseOffset: Number(found.baseOffset),
      topicId: cluster.topics.get(queue.topic)?.id ?? queue.topicId,
      appendTime: appendTimeOf(found, queue),
    };
  }
  const failure = failureFromCode(found.errorCode, subject);
  const name = errorName(found.errorCode);
  if (stateIsLost.has(name)) return { kind: "renew", failure };
  if (recordIsAtFault.has(name)) return { kind: "apart", failure };
  switch (failure.code) {
    // A broker that was just made the leader, or was just relieved of it, may not know the partition.
    case "unknown-partition":
      return { kind: "again", failure: failureFromCode(found.errorCode, subject, "unknown") };
    case "unavailable":
    case "timeout":
      return { kind: "again", failure };
    case "too-large":
      return { kind: "apart", failure };
    case "refused":
    case "forbidden":
      return { kind: "failed", failure };
  }
}

/**
 * The broker's clock, where it took the place of the records' own. The answer to a repetition has
 * the highest timestamp of the batch there, whatever clock the topic goes by.
 */
function appendTimeOf({ logAppendTimeMs }: PartitionResponse, { batch }: PartitionQueue): number | null {
  const time = Number(logAppendTimeMs);
  const isRepetition = batch !== undefined && batch.attempts > 0 && time === batch.maxTimestamp;
  return time < 0 || isRepetition ? null : time;
}
