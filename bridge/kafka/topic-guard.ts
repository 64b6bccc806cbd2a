import { Admin, ConfigResourceTypes, describeConfigsV4 } from "@platformatic/kafka";
import { LogFailure } from "../log.ts";
import type { Cluster } from "./cluster.ts";
import { type KafkaConnection, poolOptions } from "./connection.ts";
import { failureFrom, protocolErrorName } from "./errors.ts";
import { creationCommand, problemsOf, settingsOf, type TopicRequirement } from "./topic-requirement.ts";

export interface TopicGuardOptions {
  readonly connection: KafkaConnection;
  readonly topics: Readonly<Record<string, TopicRequirement>>;
  /** How long the journal and its sources have to keep records, in milliseconds. */
  readonly keepMs: number;
  readonly onProblems: (problems: readonly string[]) => void;
}

export interface TopicCreation {
  readonly replication: number;
  readonly minInsyncReplicas: number;
}

const REQUEST_TIMEOUT_MS = 10_000;
const SETTINGS = [
  "cleanup.policy",
  "message.timestamp.type",
  "retention.ms",
  "retention.bytes",
  "max.message.bytes",
] as const;

/**
 * Holds the topics to what Gavel rests on, at the start and from then on: what changes later is
 * found within seconds, and the topic takes no more records until it is mended.
 */
export class TopicGuard {
  readonly #cluster: Cluster;
  readonly #options: TopicGuardOptions;
  readonly #admin: Admin;
  #problems = new Map<string, readonly string[]>();

  constructor(cluster: Cluster, options: TopicGuardOptions) {
    this.#cluster = cluster;
    this.#options = options;
    const { brokers, clientId } = options.connection;
    this.#admin = new Admin({
      clientId,
      bootstrapBrokers: [...brokers],
      retries: 1,
      ...poolOptions(options.connection, REQUEST_TIMEOUT_MS),
    });
  }

  get problems(): readonly string[] {
    return [...this.#problems.values()].flat();
  }

  /** @throws {LogFailure} when the topic is not as it has to be: nothing may be written there. */
  admit(topic: string): void {
    const [problem] = this.#problems.get(topic) ?? [];
    if (problem !== undefined) throw new LogFailure("unavailable", "none", problem);
  }

  /** An append came back with the broker's clock: known at once, before the next look. */
  foundAppendTime(topic: string): void {
    if (this.#problems.has(topic) || this.#options.topics[topic] === undefined) return;
    this.#problems.set(topic, [`Topic ${topic} has message.timestamp.type=LogAppendTime. Set CreateTime.`]);
    this.#options.onProblems(this.problems);
  }

  /** Looks at every declared topic. @throws {LogFailure} when the cluster does not answer. */
  async check(): Promise<readonly string[]> {
    const { topics, keepMs } = this.#options;
    await this.#cluster.refresh();
    const present = Object.keys(topics).filter((name) => this.#cluster.topics.has(name));
    const settings = await this.#settingsOf(present);
    const before = this.problems.join();
    this.#problems = new Map();
    for (const [name, requirement] of Object.entries(topics)) {
      const topic = this.#cluster.topics.get(name);
      const state =
        topic === undefined ? undefined : { partitions: topic.leaders.length, settings: settings.get(name) };
      const problems = problemsOf(name, requirement, state, keepMs);
      if (problems.length > 0) this.#problems.set(name, problems);
    }
    if (this.problems.join() !== before) this.#options.onProblems(this.problems);
    return this.problems;
  }

  async #settingsOf(names: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    if (names.length === 0) return new Map();
    try {
      const resources = names.map((resourceName) => ({
        resourceType: ConfigResourceTypes.TOPIC,
        resourceName,
        configurationKeys: [...SETTINGS],
      }));
      const connection = await this.#cluster.connectToAny();
      const { results } = await describeConfigsV4.api.async(connection, resources, false, false);
      return new Map(
        results.map(({ resourceName, configs }) => [
          resourceName,
          new Map(configs.map(({ name, value }) => [name, value ?? ""])),
        ]),
      );
    } catch (error) {
      const failure = failureFrom(error, "looking at its topics' settings", "none");
      if (failure.code === "forbidden") return new Map();
      this.#cluster.turnAway();
      throw failure;
    }
  }

  /** Makes the declared topics that are missing. @throws {LogFailure} */
  async create({ replication, minInsyncReplicas }: TopicCreation): Promise<void> {
    for (const [topic, { partitions }] of Object.entries(this.#options.topics)) {
      if (this.#cluster.topics.has(topic)) continue;
      const configs = Object.entries(settingsOf(minInsyncReplicas)).map(([name, value]) => ({
        name,
        value,
      }));
      try {
        await this.#admin.createTopics({ topics: [topic], partitions, replicas: replication, configs });
      } catch (error) {
        // Another copy of the bridge was first.
        if (protocolErrorName(error) === "TOPIC_ALREADY_EXISTS") continue;
        const failure = failureFrom(error, `making topic ${topic}`, "unknown");
        const advice = `It was to have ${replication} replicas, ${minInsyncReplicas} of them in sync.`;
        throw new LogFailure(failure.code, failure.effect, `${failure.message}. ${advice}`, failure);
      }
    }
  }

  /** The commands that would make what is missing. */
  creationCommands(): string[] {
    const { topics, connection } = this.#options;
    const bootstrap = connection.brokers.join(",");
    return Object.entries(topics)
      .filter(([name]) => !this.#cluster.topics.has(name))
      .map(([name, requirement]) => creationCommand(name, requirement, bootstrap, 3));
  }

  async close(): Promise<void> {
    await this.#admin.close();
  }
}
