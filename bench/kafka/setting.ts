import { randomBytes } from "node:crypto";
import { Admin } from "@platformatic/kafka";
import { type KafkaCluster, startKafka } from "../../local/kafka/cluster.ts";
import { findKafka } from "../../local/kafka/find.ts";
import type { WorkerName } from "../harness/bundles.ts";
import type { SystemOptions } from "../harness/system.ts";
import { partitionCount } from "./bids.ts";

/** Where a run takes place: one Kafka for all, and a Strimzi bridge in front of it where one is given. */
export class Setting {
  readonly brokers: readonly string[];
  /** Undefined where none was given. */
  readonly strimzi: string | undefined;
  readonly #replicas: number;
  readonly #own: KafkaCluster | undefined;
  /** Of every topic of this run. */
  readonly #prefix = `bench-${randomBytes(3).toString("hex")}.`;

  private constructor(
    brokers: readonly string[],
    strimzi: string | undefined,
    replicas: number,
    own?: KafkaCluster,
  ) {
    this.brokers = brokers;
    this.strimzi = strimzi;
    this.#replicas = replicas;
    this.#own = own;
  }

  /** On a broker of the run's own, or on those that are given. */
  static async open(given: readonly string[] | undefined, strimzi: string | undefined): Promise<Setting> {
    if (given !== undefined) {
      const { brokers } = await findKafka(given);
      return new Setting(given, strimzi, Math.min(3, brokers.size));
    }
    const cluster = await startKafka({ optimised: true, heapMegabytes: 1024 });
    return new Setting(cluster.bootstrap, strimzi, 1, cluster);
  }

  /** Process ids of the brokers; none where they are not the run's own. */
  get brokerPids(): readonly number[] {
    return (this.#own?.nodes ?? []).flatMap(({ pid }) => pid ?? []);
  }

  /** A system over this Kafka, apart from the other benchmarks'. */
  systemFor(benchmark: string, workers: readonly WorkerName[] = ["gavel"]): SystemOptions {
    const { brokers } = this;
    return {
      workers,
      kafka: { brokers, replicas: this.#replicas, topicPrefix: `${this.#prefix}${benchmark}.` },
    };
  }

  /** Makes a topic that peers share. Answers its name. */
  async makeTopic(name: string): Promise<string> {
    const topic = `${this.#prefix}${name}`;
    const admin = this.#admin();
    try {
      await admin.createTopics({ topics: [topic], partitions: partitionCount, replicas: this.#replicas });
    } finally {
      await admin.close();
    }
    return topic;
  }

  /** Ends its own broker, or removes from the given one what the run has put there. */
  async close(): Promise<void> {
    if (this.#own !== undefined) return this.#own.stop();
    const admin = this.#admin();
    try {
      const topics = (await admin.listTopics()).filter((name) => name.startsWith(this.#prefix));
      if (topics.length > 0) await admin.deleteTopics({ topics });
    } finally {
      await admin.close();
    }
  }

  #admin(): Admin {
    return new Admin({ clientId: "gavel-bench", bootstrapBrokers: [...this.brokers] });
  }
}
