import { env } from "cloudflare:workers";
import type { FunctionGroupStatus, FunctionStatus } from "../../durable-objects/functions/rpc.ts";
import type { Partition } from "../../durable-objects/partition.ts";
import { configFromEnv } from "../../src/config.ts";
import type { LogRecord, ProduceRecord } from "../../src/kafka/port.ts";
import { createUpstashLog } from "../../src/kafka/upstash.ts";
import { eventTypes, topics } from "../../src/topics.ts";
import type { DeadLetter } from "../support/receiver/places.ts";
import { answered, call } from "../worker/edge/client.ts";

/**
 * Group `notify` over the real bridge, delivering to the receiver beside the runtime. Notifications
 * are appended to their topic as the group before would, and nobody pushes them.
 */

const bindings = env as unknown as { readonly PARTITIONS: DurableObjectNamespace<Partition> };
const log = createUpstashLog(configFromEnv(env).kafka);
const longest = 1_000;

export function notify(partition: number): DurableObjectStub<Partition> {
  return bindings.PARTITIONS.getByName(`notify/${partition}`);
}

export interface Subscribed {
  readonly id: string;
  readonly secret: string;
}

export const subscriptionsPath = "/v1/subscriptions";

export function subscribe(url: string, settings: object = {}): Promise<Subscribed> {
  return answered(call(subscriptionsPath, { key: "operator", body: { url, ...settings } }), 201);
}

export async function unsubscribe(id: string): Promise<void> {
  const response = await call(`${subscriptionsPath}/${id}`, { key: "operator", method: "DELETE" });
  if (response.status !== 204) throw new Error(`${id} was not removed: ${response.status}`);
}

let made = 0;

/** A notification for a key that the partition is told to have. */
export function notification(partition: number, key: string, text = ""): ProduceRecord {
  made += 1;
  return {
    topic: topics.notifications,
    partition,
    key,
    value: JSON.stringify({ itemId: key, bidderId: "ben", bidId: `bid-${made}`, amount: made, text }),
    timestamp: Date.now(),
    headers: [
      { key: "ce_specversion", value: "1.0" },
      { key: "ce_id", value: `notification-${made}` },
      { key: "ce_source", value: "/tests" },
      { key: "ce_type", value: eventTypes.bidderOutbid },
      { key: "ce_subject", value: key },
    ],
  };
}

/** Appends to the log and tells nobody. */
export async function append(records: readonly ProduceRecord[]): Promise<LogRecord[]> {
  const appended: LogRecord[] = [];
  for (let first = 0; first < records.length; first += longest) {
    const part = records.slice(first, first + longest);
    const results = await log.produce(part, Date.now() + 10_000);
    for (const [index, record] of part.entries()) {
      const result = results[index];
      if (result?.ok !== true) throw new Error("the log refused a record");
      appended.push({ ...record, offset: result.offset, timestamp: result.timestamp });
    }
  }
  return appended;
}

/** Where the next notification of each partition goes. */
export async function ends(partitions: readonly number[]): Promise<Map<number, number>> {
  const places = partitions.map((partition) => ({ topic: topics.notifications, partition }));
  const found = await log.offsets("latest", places, Date.now() + 10_000);
  return new Map(partitions.map((partition, index) => [partition, found[index]?.offset ?? 0]));
}

/** Every record of one topic partition. */
export async function readTopic(topic: string, partition: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (let offset = 0; ;) {
    const { records: run } = await log.fetch({ topic, partition, offset }, Date.now() + 10_000);
    const last = run.at(-1);
    if (last === undefined) return records;
    for (const record of run) records.push(record);
    offset = last.offset + 1;
  }
}

/** What the log has in the dead letters' topic of a subscription, by type. */
export async function toldOf(id: string, partitions: readonly number[]) {
  const letters: DeadLetter[] = [];
  const disabled: LogRecord[] = [];
  const seen = new Set<string>();
  for (const partition of partitions) {
    for (const record of await readTopic(topics.deadLetters, partition)) {
      const data = JSON.parse(record.value) as DeadLetter & { readonly function?: string };
      const header = (name: string) => record.headers.find(({ key }) => key === name)?.value ?? "";
      // What a writer repeats after an answer in doubt is the same event.
      const repetition = `${header("ce_source")} ${header("gavel_sequence")}`;
      if (data.function !== id || seen.has(repetition)) continue;
      seen.add(repetition);
      const { topic, offset } = data;
      if (header("ce_type") === eventTypes.functionDisabled) disabled.push(record);
      else letters.push({ topic, partition: data.partition, offset, at: record.timestamp });
    }
  }
  return { letters, disabled };
}

/** A partition's status, once it has looked at the log: as the sweep would have it do. */
export async function woken(partition: number): Promise<FunctionGroupStatus> {
  return notify(partition).wakeFunctions();
}

export function statusOf(status: FunctionGroupStatus, id: string): FunctionStatus | undefined {
  return status.functions.find(({ name }) => name === id);
}

/** Everything up to an offset is done or a dead letter, and the log has what was to be told of it. */
export function isThrough(status: FunctionGroupStatus, id: string, end: number): boolean {
  const one = statusOf(status, id);
  return one !== undefined && one.position >= end && one.parked === 0 && status.outbox === 0;
}

export async function until(
  what: string,
  holds: () => Promise<boolean>,
  withinMs: number,
  everyMs = 50,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what}: it did not come about`);
    await pause(everyMs);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
