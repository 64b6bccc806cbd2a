import { type Connection, Writer } from "@platformatic/kafka";
import type { PartitionQueue } from "./partition-queue.ts";
import type { ProduceResponse } from "./produce-answer.ts";
import type { Protocol } from "./protocol.ts";

const PRODUCE_KEY = 0;
const ALL_IN_SYNC_REPLICAS = -1;

/**
 * Sends the batches of several partitions in one request, with acks=all. Resolves with the answer
 * also where it says that some failed. Source: Produce, versions 9 to 11.
 */
export function sendProduce(
  { version, parseResponse }: Protocol["produce"],
  connection: Connection,
  timeoutMs: number,
  queues: readonly PartitionQueue[],
): Promise<ProduceResponse> {
  // Written now: a connection that is busy asks for it later, when the queues may hold other batches.
  const request = writeRequest(queues, timeoutMs);
  return new Promise((resolve, reject) => {
    connection.send(
      PRODUCE_KEY,
      version,
      () => request,
      parseResponse,
      true,
      true,
      (error, response) => {
        if (error === null && response !== undefined) return resolve(response);
        const answer: unknown = error === null ? undefined : Reflect.get(error, "response");
        if (answer === undefined || answer === null) return reject(error ?? new Error("no answer"));
        resolve(answer as ProduceResponse);
      },
    );
  });
}

function writeRequest(queues: readonly PartitionQueue[], timeoutMs: number): Writer {
  const topics = [...Map.groupBy(queues, ({ topic }) => topic)];
  return Writer.create()
    .appendString(null)
    .appendInt16(ALL_IN_SYNC_REPLICAS)
    .appendInt32(timeoutMs)
    .appendArray(topics, (writer, [topic, partitions]) => {
      writer.appendString(topic).appendArray([...partitions], (entry, { partition, batch }) => {
        if (batch === undefined) throw new TypeError("a queue is sent with its batch");
        entry
          .appendInt32(partition)
          .appendUnsignedVarInt(batch.bytes.length + 1)
          .append(batch.bytes);
      });
    })
    .appendTaggedFields();
}
