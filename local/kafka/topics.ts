import { setTimeout as sleep } from "node:timers/promises";
import { Admin } from "@platformatic/kafka";
import { topics } from "../../src/topology.ts";

export interface TopicSpecification {
  readonly name: string;
  readonly partitions: number;
  readonly replicas: number;
  /** Kafka's settings of a topic, for example `retention.ms`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What Gavel rebuilds everything from: never removed by age. */
const keptForGood: readonly string[] = [topics.items, topics.journal];

/** Every topic of the topology, with the settings that it needs. */
export function topologyTopics(prefix: string, partitions: number, replicas: number): TopicSpecification[] {
  return Object.values(topics).map((name) => ({
    name: `${prefix}${name}`,
    partitions,
    replicas,
    settings: {
      // The time of an event is its record's timestamp, as the gateway set it.
      "message.timestamp.type": "CreateTime",
      // Compaction would remove all but a key's last record.
      "cleanup.policy": "delete",
      ...(keptForGood.includes(name) ? { "retention.ms": "-1", "retention.bytes": "-1" } : {}),
    },
  }));
}

/**
 * Makes the topics that are missing, and waits until each partition has a leader.
 * @returns the names of those that were made.
 */
export async function createTopics(
  bootstrap: readonly string[],
  wanted: readonly TopicSpecification[],
): Promise<string[]> {
  const admin = new Admin({ clientId: "gavel-local", bootstrapBrokers: [...bootstrap] });
  try {
    const present = new Set(await admin.listTopics());
    const missing = wanted.filter(({ name }) => !present.has(name));
    for (const { name, partitions, replicas, settings = {} } of missing) {
      const configs = Object.entries(settings).map(([setting, value]) => ({ name: setting, value }));
      await admin.createTopics({ topics: [name], partitions, replicas, configs });
    }
    await untilLed(
      admin,
      wanted.map(({ name }) => name),
    );
    return missing.map(({ name }) => name);
  } finally {
    await admin.close();
  }
}

/** How long a new topic may take until every broker knows its leaders. */
const patienceMs = 30_000;

async function untilLed(admin: Admin, names: string[]): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const led = await admin
      .metadata({ topics: names, forceUpdate: true })
      .then(({ topics: found }) =>
        names.every((name) => found.get(name)?.partitions.every(({ leader }) => leader >= 0)),
      )
      // A topic that was made a moment ago may be unknown to the broker that is asked.
      .catch(() => false);
    if (led) return;
    if (Date.now() > deadline) throw new Error(`no leader for some of ${names.join(", ")}`);
    await sleep(50);
  }
}
