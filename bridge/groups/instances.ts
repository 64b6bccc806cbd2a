import type {
  CommitRequest,
  ConsumeRequest,
  ConsumerGroups,
  GroupDescription,
  HandedOut,
  InstanceId,
  RemoveRequest,
} from "../groups.ts";
import {
  type EventLog,
  LogFailure,
  type TopicPartition,
  type TopicPartitionOffset,
  unknownPartition,
} from "../log.ts";
import type { Coordinator, Subscription } from "./coordinator.ts";
import { Instance } from "./instance.ts";

/** How long a last commit waits for the group. */
const LAST_COMMIT_WAIT_MS = 1_000;
/** Instances that one copy acts as at once: each costs a timer and a heartbeat a second. */
const MAX_INSTANCES = 1_000;

type Log = Pick<EventLog, "read" | "offsets" | "topics">;

/** Consumer groups over any log and any coordinator. */
export class InstanceGroups implements ConsumerGroups {
  readonly #log: Log;
  readonly #coordinator: Coordinator;
  readonly #maxInstances: number;
  readonly #instances = new Map<string, Instance>();
  /** Instances that are being looked for: calls that come meanwhile get the same one. */
  readonly #finding = new Map<string, Promise<Instance>>();

  constructor(log: Log, coordinator: Coordinator, maxInstances: number = MAX_INSTANCES) {
    this.#log = log;
    this.#coordinator = coordinator;
    this.#maxInstances = maxInstances;
  }

  async consume(request: ConsumeRequest): Promise<HandedOut> {
    const until = performance.now() + request.timeoutMs;
    await this.#checkTopics(request.topics);
    const topics = [...new Set(request.topics)].sort();
    const instance = await this.#find(request, { topics, settings: request.settings });
    return instance.consume(request, topics, until);
  }

  async commit(request: CommitRequest): Promise<void> {
    const { offsets, authorize } = request;
    await this.#checkPartitions(offsets ?? []);
    const instance = await this.#find(request, null);
    for (const topic of instance.membership.subscription.topics) authorize(topic);
    await instance.commit(offsets);
  }

  async committed(group: string, partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
    await this.#checkPartitions(partitions);
    const kept = await this.#coordinator.committed(group, partitions);
    return kept.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  }

  list(): Promise<readonly GroupDescription[]> {
    return this.#coordinator.list();
  }

  async remove(request: RemoveRequest): Promise<void> {
    const subscription = await this.#coordinator.subscription(request);
    if (subscription === "rebalancing") throw rebalancing();
    // Its topics are its own program's business: no rights here say who may throw it out.
    if (subscription === "foreign") throw foreign(request);
    for (const topic of subscription?.topics ?? []) request.authorize(topic);
    if (subscription?.settings.autoCommit === true) await this.#commitAtTheEnd(request);
    this.#instances.get(keyOf(request))?.end();
    await this.#coordinator.remove(request);
  }

  async close(): Promise<void> {
    for (const instance of this.#instances.values()) instance.end();
    await this.#coordinator.close();
  }

  /** Who says that it ends has done what it was given. */
  async #commitAtTheEnd(id: InstanceId): Promise<void> {
    try {
      const instance = await this.#find(id, null);
      if (await instance.membership.ready(LAST_COMMIT_WAIT_MS)) await instance.commitHandedOut();
    } catch (error) {
      // While the group rebalances nothing is committed: the records go to another instance again.
      if (!(error instanceof LogFailure)) throw error;
    }
  }

  /**
   * The instance on this copy; where another one acted as it last, or none, this copy joins in its
   * stead. @param wanted null for an instance that must be in the group already.
   */
  async #find(id: InstanceId, wanted: Subscription | null): Promise<Instance> {
    const key = keyOf(id);
    const held = this.#instances.get(key);
    // Another copy may have taken the instance meanwhile, and this call is newer than that.
    if (held !== undefined && (await held.membership.confirm())) return held;
    const shared = this.#finding.get(key);
    if (shared !== undefined) {
      // A commit does not know the topics; where it finds no instance, a consume still makes one.
      await shared.catch(() => undefined);
      return this.#find(id, wanted);
    }
    const finding = this.#take(id, wanted).finally(() => this.#finding.delete(key));
    this.#finding.set(key, finding);
    return finding;
  }

  async #take(id: InstanceId, wanted: Subscription | null): Promise<Instance> {
    const known = await this.#coordinator.subscription(id);
    if (known === "rebalancing" && wanted === null) throw rebalancing();
    // To join in its name would fence it.
    if (known === "foreign") throw foreign(id);
    const subscription = known === "rebalancing" ? wanted : (known ?? wanted);
    if (subscription === null) {
      throw new LogFailure(
        "refused",
        "none",
        `no instance ${id.instance} is in group ${id.group}: consume first`,
      );
    }
    if (this.#instances.size >= this.#maxInstances) {
      throw new LogFailure("unavailable", "none", "too many consumer instances are in use here");
    }
    const key = keyOf(id);
    const onEnd = () => {
      if (this.#instances.get(key) === instance) this.#instances.delete(key);
    };
    const instance = new Instance({
      id,
      log: this.#log,
      coordinator: this.#coordinator,
      subscription,
      onEnd,
    });
    this.#instances.set(key, instance);
    return instance;
  }

  async #checkTopics(topics: readonly string[]): Promise<void> {
    const known = await this.#log.topics();
    const missing = topics.find((topic) => !known.has(topic));
    if (missing !== undefined) throw new LogFailure("unknown-partition", "none", `unknown topic: ${missing}`);
  }

  async #checkPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    const known = await this.#log.topics();
    const missing = partitions.find(
      ({ topic, partition }) => partition < 0 || partition >= (known.get(topic) ?? 0),
    );
    if (missing !== undefined) throw unknownPartition(missing);
  }
}

function keyOf({ group, instance }: InstanceId): string {
  return JSON.stringify([group, instance]);
}

function foreign({ group, instance }: InstanceId): LogFailure {
  const text = `${instance} of group ${group} is a member of another program`;
  return new LogFailure("refused", "none", text);
}

function rebalancing(): LogFailure {
  return new LogFailure("unavailable", "none", "the group rebalances now");
}
