import { setTimeout as sleep } from "node:timers/promises";
import { ConnectionPool, Consumer, describeQuorumV2, stringDeserializers } from "@platformatic/kafka";
import { adminOf } from "../../support/kafka-log.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";

const clientId = "gavel-tests";

/** Id of the node that leads the controllers' quorum. */
export async function leadingController(bootstrap: readonly string[]): Promise<number> {
  const pool = new ConnectionPool(clientId, { connectTimeout: 2_000 });
  try {
    const connection = await pool.getFirstAvailable(bootstrap.map(addressOf));
    const asked = [{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 0 }] }];
    const { topics } = await describeQuorumV2.api.async(connection, asked);
    return topics[0]?.partitions[0]?.leaderId ?? -1;
  } finally {
    await pool.close();
  }
}

function addressOf(broker: string): { host: string; port: number } {
  const [host = "", port = ""] = broker.split(":");
  return { host, port: Number(port) };
}

/** Id of the broker that leads a partition. */
export async function leaderOf(
  bootstrap: readonly string[],
  topic: string,
  partition: number,
): Promise<number> {
  const admin = adminOf(bootstrap);
  try {
    const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
    return topics.get(topic)?.partitions[partition]?.leader ?? -1;
  } finally {
    await admin.close();
  }
}

/** Waits until so many brokers are in sync for every partition, and it has a leader. */
export async function untilInSync(
  bootstrap: readonly string[],
  names: readonly string[],
  brokers: number,
): Promise<void> {
  const admin = adminOf(bootstrap);
  const deadline = Date.now() + 60_000;
  try {
    for (;;) {
      const view = await admin.metadata({ topics: [...names], forceUpdate: true }).catch(() => undefined);
      const partitions = [...(view?.topics.values() ?? [])].flatMap((topic) => topic.partitions);
      if (
        partitions.length > 0 &&
        partitions.every(({ isr, leader }) => isr.length === brokers && leader > 0)
      )
        return;
      if (Date.now() > deadline) throw new Error(`not every partition has ${brokers} brokers in sync`);
      await sleep(100);
    }
  } finally {
    await admin.close();
  }
}

export type Ends = Readonly<Record<string, readonly number[]>>;

/** Where each partition of the topics ends. */
export async function endsOf(bootstrap: readonly string[], names: readonly string[]): Promise<Ends> {
  return withConsumer(bootstrap, (consumer) => askForEnds(consumer, names));
}

async function askForEnds(consumer: Consumer<string, string, string, string>, names: readonly string[]) {
  const ends = await consumer.listOffsets({ topics: [...names] });
  return Object.fromEntries([...ends].map(([topic, offsets]) => [topic, offsets.map(Number)]));
}

/**
 * Every record of the topics, each topic by partition, read with the client library from the
 * brokers themselves: nothing of the bridge has a part in it.
 */
export async function readFromBrokers(
  bootstrap: readonly string[],
  names: readonly string[],
): Promise<Readonly<Record<string, readonly (readonly LogRecord[])[]>>> {
  return withConsumer(bootstrap, async (consumer) => {
    const ends: Ends = await askForEnds(consumer, names);
    const log = Object.fromEntries(
      Object.entries(ends).map(([topic, offsets]) => [topic, offsets.map((): LogRecord[] => [])]),
    );
    let missing = Object.values(ends)
      .flat()
      .filter((end) => end > 0).length;
    if (missing === 0) return log;
    const topics = [...names];
    const stream = await consumer.consume({ topics, mode: "earliest", autocommit: false, maxWaitTime: 100 });
    for await (const { topic, partition, offset, timestamp, key, value, headerEntries } of stream) {
      const end = ends[topic]?.[partition] ?? 0;
      if (Number(offset) >= end) continue;
      const headers = headerEntries.map(([name, text]) => ({ key: name, value: text }));
      const place = { topic, partition, offset: Number(offset) };
      log[topic]?.[partition]?.push({ ...place, timestamp: Number(timestamp), key, value, headers });
      if (Number(offset) === end - 1) missing -= 1;
      if (missing === 0) break;
    }
    return log;
  });
}

async function withConsumer<Result>(
  bootstrap: readonly string[],
  work: (consumer: Consumer<string, string, string, string>) => Promise<Result>,
): Promise<Result> {
  const consumer = new Consumer({
    clientId,
    groupId: `gavel-tests-${crypto.randomUUID()}`,
    bootstrapBrokers: [...bootstrap],
    deserializers: stringDeserializers,
    retries: 10,
    retryDelay: 200,
  });
  try {
    return await work(consumer);
  } finally {
    await consumer.close(true);
  }
}
