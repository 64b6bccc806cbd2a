import { env } from "cloudflare:workers";
import type { Partition } from "../../../durable-objects/partition.ts";
import { encodeHeaders } from "../../../src/kafka/header-text.ts";
import type { PushBatch } from "../../../durable-objects/rpc.ts";
import { partitionFor } from "../../../src/kafka/partitioner.ts";
import type { LogRecord, ProduceRecord } from "../../../src/kafka/port.ts";
import { createUpstashLog } from "../../../src/kafka/upstash.ts";
import { eventTypes, topics } from "../../../src/topics.ts";

const bindings = env as unknown as {
  readonly KAFKA_URL: string;
  readonly KAFKA_USERNAME: string;
  readonly KAFKA_PASSWORD: string;
  readonly PARTITION_COUNT: string;
  readonly PARTITIONS: DurableObjectNamespace<Partition>;
};

/** The real bridge, as another producer would write to it. */
const log = createUpstashLog({
  url: bindings.KAFKA_URL,
  username: bindings.KAFKA_USERNAME,
  password: bindings.KAFKA_PASSWORD,
});

function soon(): number {
  return Date.now() + 10_000;
}

export function partitionOf(itemId: string): number {
  return partitionFor(itemId, Number(bindings.PARTITION_COUNT));
}

/** The object that an item's events go to. */
export function objectOf(itemId: string): DurableObjectStub<Partition> {
  return bindings.PARTITIONS.getByName(`auction/${partitionOf(itemId)}`);
}

/** Has every partition read what the log has of it, as the sweep does: also what other files' tests wrote. */
export async function wakeAll(): Promise<void> {
  const partitions = Array.from({ length: Number(bindings.PARTITION_COUNT) }, (_, number) => number);
  const woken = partitions.map((number) => bindings.PARTITIONS.getByName(`auction/${number}`).wake());
  await Promise.all(woken);
}

let made = 0;

/** An id that no other test uses. */
export function newId(kind: string): string {
  made += 1;
  return `${kind}-${crypto.randomUUID().slice(0, 8)}-${made}`;
}

interface EventOptions {
  readonly timestamp?: number;
  /** Marks the time as set by a trusted credential. */
  readonly trusted?: boolean;
  readonly id?: string;
}

function event(
  topic: string,
  type: string,
  itemId: string,
  data: object,
  { timestamp = Date.now(), trusted = false, id = newId("event") }: EventOptions,
): ProduceRecord {
  const receivedAt = new Date(trusted ? timestamp + 1 : timestamp).toISOString();
  return {
    topic,
    partition: partitionOf(itemId),
    key: itemId,
    value: JSON.stringify({ ...data, edge: { receivedAt, credential: "test" } }),
    timestamp,
    headers: [
      { key: "ce_specversion", value: "1.0" },
      { key: "ce_id", value: id },
      { key: "ce_source", value: "/tests" },
      { key: "ce_type", value: type },
      { key: "ce_subject", value: itemId },
    ],
  };
}

export function listing(itemId: string, endsAt: number, options: EventOptions = {}): ProduceRecord {
  const terms = { itemId, sellerId: "seller", title: "A lamp", category: "lamps", currency: "EUR" };
  const data = { ...terms, startingPrice: 100, endsAt: new Date(endsAt).toISOString() };
  return event(topics.items, eventTypes.itemListed, itemId, data, options);
}

export function bid(
  itemId: string,
  bidderId: string,
  amount: number,
  options: EventOptions = {},
): ProduceRecord {
  return event(
    topics.journal,
    eventTypes.bidPlaced,
    itemId,
    { itemId, bidderId, amount, currency: "EUR" },
    options,
  );
}

/** A notification of another producer, on the partition that the test says. */
export function notification(partition: number, key: string, bidderId: string): ProduceRecord {
  const data = { itemId: key, bidderId, bidId: newId("bid"), amount: 100 };
  return { ...event(topics.notifications, eventTypes.bidderOutbid, key, data, {}), partition };
}

/** Appends to the log and tells no object of it. */
export async function append(...records: readonly ProduceRecord[]): Promise<LogRecord[]> {
  const results = await log.produce(records, soon());
  return records.map((record, index) => {
    const result = results[index];
    if (result?.ok !== true) throw new Error("the log refused a record");
    return { ...record, offset: result.offset, timestamp: result.timestamp };
  });
}

/** The push of appended records of one topic, as the Worker makes it. */
export function pushOf(records: readonly LogRecord[]): PushBatch {
  return {
    topic: records[0]?.topic === topics.items ? "items" : "journal",
    offsets: records.map(({ offset }) => offset),
    timestamps: records.map(({ timestamp }) => timestamp),
    keys: records.map(({ key }) => key),
    values: records.map(({ value }) => value),
    headers: records.map(({ headers }) => encodeHeaders(headers)),
  };
}

/** Every record of one topic partition from an offset on. */
export async function readTopic(topic: string, partition: number, from = 0): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (let offset = from; ;) {
    const { records: run } = await log.fetch({ topic, partition, offset }, soon());
    const last = run.at(-1);
    if (last === undefined) return records;
    for (const record of run) records.push(record);
    offset = last.offset + 1;
  }
}

export function typeOf(record: LogRecord): string {
  return record.headers.find(({ key }) => key === "ce_type")?.value ?? "";
}

export function sequenceOf(record: LogRecord): number {
  return Number(record.headers.find(({ key }) => key === "gavel_sequence")?.value ?? 0);
}

/** Those that a group wrote, in a topic that other files of tests write to as well. */
export async function readOutputs(topic: string, partition: number): Promise<LogRecord[]> {
  return (await readTopic(topic, partition)).filter((record) => sequenceOf(record) > 0);
}

/** Outputs of one item. */
export async function outputsOf(topic: string, itemId: string): Promise<LogRecord[]> {
  return (await readTopic(topic, partitionOf(itemId))).filter(({ key }) => key === itemId);
}

/** Asks until the answer is there; fails after ten seconds, unless more patience is asked for. */
export async function eventually<Answer>(
  ask: () => Promise<Answer | undefined | false>,
  patienceMs = 10_000,
): Promise<Answer> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`it did not come about in ${patienceMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
