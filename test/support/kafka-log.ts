import { setTimeout as sleep } from "node:timers/promises";
import { Admin } from "@platformatic/kafka";
import { KafkaLog, type KafkaLogOptions } from "../../bridge/kafka/kafka-log.ts";
import type { TopicRequirement } from "../../bridge/kafka/topic-requirement.ts";
import type { MakeLog } from "../bridge/contract/harness.ts";

const clientId = "gavel-tests";

export function adminOf(brokers: readonly string[]): Admin {
  return new Admin({ clientId, bootstrapBrokers: [...brokers], retries: 5, retryDelay: 100 });
}

/** Topics without any demand but their partitions. */
function outputs(topics: Readonly<Record<string, number>>): Record<string, TopicRequirement> {
  return Object.fromEntries(
    Object.entries(topics).map(([topic, partitions]) => [topic, { partitions, role: "output" as const }]),
  );
}

/** Makes topics anew, whatever they held; with timestamps of any time. */
export async function makeTopics(
  brokers: readonly string[],
  topics: Readonly<Record<string, number>>,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const admin = adminOf(brokers);
  await removeTopics(admin, Object.keys(topics));
  const configs = Object.entries({
    "max.message.bytes": "1100000",
    "retention.ms": "-1",
    "message.timestamp.after.max.ms": "9223372036854775807",
    ...settings,
  }).map(([name, value]) => ({ name, value }));
  for (const [topic, partitions] of Object.entries(topics)) {
    await until(() => admin.createTopics({ topics: [topic], partitions, replicas: 1, configs }));
  }
  await admin.close();
}

/** Brokers hear of a deletion one after the other: until then a name is neither free nor taken. */
export async function removeTopics(admin: Admin, names: readonly string[]): Promise<void> {
  for (;;) {
    const present = new Set(await admin.listTopics());
    const old = names.filter((name) => present.has(name));
    if (old.length === 0) return;
    await admin.deleteTopics({ topics: old }).catch(() => undefined);
    await sleep(50);
  }
}

/** What earlier files left on the broker, which runs them one after the other. */
export async function removeAllTopics(brokers: readonly string[]): Promise<void> {
  const admin = adminOf(brokers);
  await removeTopics(admin, await admin.listTopics());
  await admin.close();
}

/** Tries again for a few seconds. @throws the last failure */
async function until(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      await sleep(100);
    }
  }
}

/** A log over topics that exist. */
export function openKafkaLog(
  brokers: readonly string[],
  topics: Readonly<Record<string, number>>,
  options: Partial<KafkaLogOptions> = {},
): Promise<KafkaLog> {
  return KafkaLog.open({ brokers, clientId, topics: outputs(topics), ...options });
}

/** An empty log in a real cluster, for the bridge's contract. */
export function kafkaLogMaker(brokers: readonly string[]): MakeLog {
  return async (topics) => {
    await makeTopics(brokers, topics);
    const log = await openKafkaLog(brokers, topics);
    const remove = async () => {
      const admin = adminOf(brokers);
      await removeTopics(admin, Object.keys(topics));
      await admin.close();
    };
    return { log, remove, another: () => openKafkaLog(brokers, topics) };
  };
}
