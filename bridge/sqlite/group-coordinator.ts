import type { GroupDescription, InstanceId, TopicAssignment } from "../groups.ts";
import {
  type CommittedOffset,
  type Coordinator,
  type Member,
  StaleMembership,
  type Subscription,
} from "../groups/coordinator.ts";
import { assignRanges } from "../groups/range.ts";
import type { TopicPartition } from "../log.ts";
import type { CommittedOffsets } from "./committed-offsets.ts";

interface MemberState {
  subscription: Subscription;
  /** The handle that joined last: all others are fenced. */
  holder: SqliteMember;
  assigned: readonly TopicAssignment[];
}

interface Group {
  generation: number;
  readonly members: Map<string, MemberState>;
}

/**
 * Members and assignments in memory, offsets in the file: what Kafka's group coordinator does, for
 * the one process that has the file. A rebalance is done at once: members of the generation before
 * learn of it with their next heartbeat, and can no longer commit.
 */
export class SqliteCoordinator implements Coordinator {
  readonly #offsets: CommittedOffsets;
  /** Topic → partitions. */
  readonly #counts: () => ReadonlyMap<string, number>;
  readonly #groups = new Map<string, Group>();

  constructor(offsets: CommittedOffsets, counts: () => ReadonlyMap<string, number>) {
    this.#offsets = offsets;
    this.#counts = counts;
  }

  async subscription({ group, instance }: InstanceId): Promise<Subscription | null> {
    return this.#groups.get(group)?.members.get(instance)?.subscription ?? null;
  }

  member(id: InstanceId): Member {
    return new SqliteMember(id, this);
  }

  async committed(group: string, partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return partitions.map((partition) => this.#offsets.read(group, partition));
  }

  async list(): Promise<GroupDescription[]> {
    return [...this.#groups].map(([name, { members }]) => ({
      name,
      instances: [...members].map(([instance, { subscription, assigned }]) => ({
        name: instance,
        subscribed: subscription.topics,
        assigned,
      })),
    }));
  }

  async remove({ group, instance }: InstanceId): Promise<void> {
    const state = this.#groups.get(group);
    if (state === undefined || !state.members.delete(instance)) return;
    if (state.members.size === 0) this.#groups.delete(group);
    else this.#rebalance(state);
  }

  async close(): Promise<void> {
    this.#groups.clear();
  }

  /** Makes the handle the member. The partitions move only where the subscription is another. */
  enter({ group, instance }: InstanceId, holder: SqliteMember, subscription: Subscription) {
    let state = this.#groups.get(group);
    if (state === undefined) this.#groups.set(group, (state = { generation: 0, members: new Map() }));
    let member = state.members.get(instance);
    const stays = member?.subscription.topics.join() === subscription.topics.join();
    if (member === undefined) state.members.set(instance, (member = { subscription, holder, assigned: [] }));
    member.holder = holder;
    member.subscription = subscription;
    if (!stays) this.#rebalance(state);
    return { generation: state.generation, assigned: member.assigned };
  }

  /** @throws {StaleMembership} unless the handle is the member, in the group's generation. */
  check({ group, instance }: InstanceId, holder: SqliteMember): void {
    const state = this.#groups.get(group);
    if (state?.members.get(instance)?.holder !== holder) throw new StaleMembership("lost");
    if (state.generation !== holder.generation) throw new StaleMembership("rebalancing");
  }

  write(group: string, offsets: readonly CommittedOffset[]): void {
    this.#offsets.write(group, offsets);
  }

  #rebalance(group: Group): void {
    group.generation++;
    const members = [...group.members];
    const candidates = members.map(([name, { subscription }]) => ({ name, topics: subscription.topics }));
    const assigned = assignRanges(candidates, this.#counts());
    for (const [index, [, member]] of members.entries()) member.assigned = assigned[index] ?? [];
  }
}

class SqliteMember implements Member {
  generation = 0;
  readonly #id: InstanceId;
  readonly #coordinator: SqliteCoordinator;

  constructor(id: InstanceId, coordinator: SqliteCoordinator) {
    this.#id = id;
    this.#coordinator = coordinator;
  }

  async join(subscription: Subscription): Promise<TopicPartition[]> {
    const { generation, assigned } = this.#coordinator.enter(this.#id, this, subscription);
    this.generation = generation;
    return assigned.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
  }

  async heartbeat(): Promise<void> {
    this.#coordinator.check(this.#id, this);
  }

  async commit(offsets: readonly CommittedOffset[]): Promise<void> {
    this.#coordinator.check(this.#id, this);
    this.#coordinator.write(this.#id.group, offsets);
  }

  async leave(): Promise<void> {
    if (!(await this.#isMember())) return;
    await this.#coordinator.remove(this.#id);
  }

  close(): void {
    // No join is ever under way: it ends in the turn in which it began.
  }

  async #isMember(): Promise<boolean> {
    try {
      this.#coordinator.check(this.#id, this);
      return true;
    } catch (error) {
      return error instanceof StaleMembership && error.reason === "rebalancing";
    }
  }
}
