import { Consumer } from "@platformatic/kafka";
import { basicAuthorization } from "../harness/bridge-client.ts";
import { Connection, requestMaker } from "../harness/connection.ts";
import { expectStatus } from "../harness/load.ts";
import type { System } from "../harness/system.ts";
import type { Setting } from "./setting.ts";

/** A topic that is filled, and where each of its partitions ends; every one begins at 0, without gaps. */
export interface FilledTopic {
  readonly topic: string;
  readonly ends: readonly number[];
}

/** One way to read a topic from its start to its end. */
export interface TopicReader {
  readonly name: string;
  /** Answers the seconds that it took. Records are counted, and their values not decoded. */
  read(filled: FilledTopic): Promise<number>;
}

const maxBytes = 1024 * 1024;
/** How long a broker may keep a fetch that finds nothing, in milliseconds. */
const maxWaitMs = 50;
const offsetName = Buffer.from('"offset":');

/** `/fetch` at offsets, one connection for each partition; an answer has at most 1 MiB. */
export function bridgeReader(system: System): TopicReader {
  const post = requestMaker("POST", `${system.bridge.url}/fetch`, {
    authorization: basicAuthorization(system),
    "content-type": "application/json",
  });
  return {
    name: "the bridge, /fetch",
    read: ({ topic, ends }) =>
      timed(ends, async (partition, end) => {
        const connection = await Connection.open(system.bridge.url);
        for (let offset = 0; offset < end;) {
          const answer = await connection.send(
            post(JSON.stringify({ topic, partition, offset, timeout: 0 })),
          );
          expectStatus(answer, 200);
          offset = lastOffset(answer.body) + 1;
        }
        connection.close();
      }),
  };
}

/** Of the last record. A value is a string in the answer, in which no quote stands by itself. */
function lastOffset(body: Buffer): number {
  const at = body.lastIndexOf(offsetName);
  if (at === -1) throw new Error("an answer without a record before the end of its partition");
  return Number.parseInt(body.toString("latin1", at + offsetName.length, at + offsetName.length + 20), 10);
}

/** The library's `Consumer.fetch`, one consumer for each partition, 1 MiB each time. */
export function libraryFetch({ brokers }: Setting): TopicReader {
  return {
    name: "the library, Consumer.fetch",
    async read({ topic, ends }) {
      const consumers = ends.map((_, partition) => makeConsumer(brokers, `fetch-${partition}`));
      const metadata = await Promise.all(consumers.map((one) => one.metadata({ topics: [topic] })));
      const seconds = await timed(ends, async (partition, end) => {
        const consumer = consumers[partition];
        const known = metadata[partition]?.topics.get(topic);
        if (consumer === undefined || known === undefined) throw new Error(`${topic} is not known`);
        const node = known.partitions[partition]?.leader ?? -1;
        for (let offset = 0; offset < end;) {
          offset = await fetchOnce(consumer, node, { topicId: known.id, partition, offset });
        }
      });
      await Promise.all(consumers.map((consumer) => consumer.close(true)));
      return seconds;
    },
  };
}

function makeConsumer(brokers: readonly string[], name: string): Consumer {
  return new Consumer({
    clientId: "gavel-bench",
    bootstrapBrokers: [...brokers],
    groupId: `gavel-bench-${name}`,
  });
}

/** Answers the offset behind the last record. */
async function fetchOnce(
  consumer: Consumer,
  node: number,
  { topicId, partition, offset }: { topicId: string; partition: number; offset: number },
): Promise<number> {
  const place = { partition, currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: maxBytes };
  const { responses } = await consumer.fetch({
    node,
    minBytes: 1,
    maxBytes,
    maxWaitTime: maxWaitMs,
    topics: [{ topicId, partitions: [{ ...place, fetchOffset: BigInt(offset) }] }],
  });
  const last = responses[0]?.partitions[0]?.records?.at(-1);
  return last === undefined ? offset : Number(last.firstOffset) + last.lastOffsetDelta + 1;
}

/** The library's stream over all partitions, timed from the first record on. */
export function libraryStream({ brokers }: Setting): TopicReader {
  return {
    name: "the library, consumer stream",
    async read({ topic, ends }) {
      const consumer = makeConsumer(brokers, `stream-${process.hrtime.bigint()}`);
      const stream = await consumer.consume({
        topics: [topic],
        mode: "earliest",
        autocommit: false,
        minBytes: 1,
        maxWaitTime: maxWaitMs,
        maxBytes: ends.length * maxBytes,
        maxBytesPerPartition: maxBytes,
      });
      const total = ends.reduce((sum, end) => sum + end, 0);
      let records = 0;
      let startedAt = 0;
      for await (const _ of stream) {
        if (records === 0) startedAt = performance.now();
        records += 1;
        if (records === total) break;
      }
      const seconds = (performance.now() - startedAt) / 1000;
      await consumer.close(true);
      return seconds;
    },
  };
}

/** Strimzi's consumers, one for each partition, asked for 1 MiB each time. */
export function strimziReader({ strimzi }: Setting): TopicReader | undefined {
  if (strimzi === undefined) return undefined;
  return {
    name: "Strimzi's consumers",
    async read({ topic, ends }) {
      const group = `${strimzi}/consumers/gavel-bench-${process.hrtime.bigint()}`;
      const consumers: StrimziConsumer[] = [];
      for (const partition of ends.keys())
        consumers.push(await StrimziConsumer.open(group, topic, partition));
      const seconds = await timed(ends, async (partition, end) => {
        for (let read = 0; read < end;) read = (await consumers[partition]?.poll()) ?? read;
      });
      for (const consumer of consumers) await consumer.close();
      return seconds;
    },
  };
}

/** An instance of Strimzi's, on a connection of its own. */
class StrimziConsumer {
  readonly #connection: Connection;
  readonly #url: string;
  readonly #poll: string;
  #behind = 0;

  private constructor(connection: Connection, url: string) {
    this.#connection = connection;
    this.#url = url;
    const records = `${url}/records?timeout=${maxWaitMs}&max_bytes=${maxBytes}`;
    this.#poll = requestMaker("GET", records, { accept: "application/vnd.kafka.json.v2+json" })("");
  }

  static async open(group: string, topic: string, partition: number): Promise<StrimziConsumer> {
    const name = `reader-${partition}`;
    const consumer = new StrimziConsumer(await Connection.open(group), `${group}/instances/${name}`);
    await consumer.#post(group, {
      name,
      format: "json",
      "auto.offset.reset": "earliest",
      "enable.auto.commit": false,
      "fetch.min.bytes": 1,
    });
    await consumer.#post(`${consumer.#url}/assignments`, { partitions: [{ topic, partition }] });
    return consumer;
  }

  async #post(url: string, body: object): Promise<void> {
    const post = requestMaker("POST", url, { "content-type": "application/vnd.kafka.v2+json" });
    const { status, body: told } = await this.#connection.send(post(JSON.stringify(body)));
    if (status >= 300) throw new Error(`Strimzi's bridge answers ${status}: ${told.toString()}`);
  }

  /** Answers the offset behind the last record so far. */
  async poll(): Promise<number> {
    const answer = await this.#connection.send(this.#poll);
    expectStatus(answer, 200);
    if (answer.body.includes(offsetName)) this.#behind = lastOffset(answer.body) + 1;
    return this.#behind;
  }

  async close(): Promise<void> {
    await this.#connection.send(requestMaker("DELETE", this.#url, {})(""));
    this.#connection.close();
  }
}

/** Reads all partitions side by side. Seconds. */
async function timed(
  ends: readonly number[],
  read: (partition: number, end: number) => Promise<void>,
): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(ends.map((end, partition) => read(partition, end)));
  return (performance.now() - startedAt) / 1000;
}
