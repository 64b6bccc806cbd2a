import { DatabaseSync } from "node:sqlite";
import { Followers } from "../../../durable-objects/followers/followers.ts";
import type { PartitionDependencies, PartitionStorage } from "../../../durable-objects/dependencies.ts";
import type { Attachment, FeedSocket } from "../../../durable-objects/feed/connection.ts";
import { FeedCore } from "../../../durable-objects/feed/core.ts";
import type { FollowAnswer, FollowQuery, Holder } from "../../../durable-objects/feed/rpc.ts";
import type { PartitionStatus } from "../../../durable-objects/rpc.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import type { LiveItem } from "../../../src/live/item.ts";
import { memoryStorage, storageOver } from "../../support/sqlite-storage.ts";

/** Lets follow what follows from what happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A clock that the test moves, from one timer to the next. */
export class StepClock implements Clock {
  time = Date.UTC(2026, 0, 1);
  private sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.time;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = { until: this.time + milliseconds, wake: resolve };
      this.sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        resolve();
      });
    });
  }

  get timers(): number {
    return this.sleepers.length;
  }

  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    await settled();
    for (;;) {
      const [next] = this.sleepers.sort((left, right) => left.until - right.until);
      if (next === undefined || next.until > end) break;
      this.sleepers.shift();
      this.time = Math.max(this.time, next.until);
      next.wake();
      await settled();
    }
    this.time = end;
    await settled();
  }
}

export interface Message {
  readonly type: string;
  readonly number: number;
  readonly id: string;
  readonly items: readonly LiveItem[];
}

/** A client's side of a connection, and what the platform keeps with its socket. */
export class Client implements FeedSocket {
  readonly messages: Message[] = [];
  attachment: Attachment | undefined;
  closed: number | undefined;
  /** What to come back with, and the number of the last message. */
  last: string | undefined;
  number = 0;

  send(text: string): void {
    const message = JSON.parse(text) as Message;
    this.messages.push(message);
    this.last = message.id;
    this.number = message.number;
  }

  close(code: number): void {
    this.closed = code;
  }

  attach(attachment: Attachment): void {
    // As the platform does: by value.
    this.attachment = structuredClone(attachment);
  }

  /** The last that it was told of an item. */
  state(itemId: string): LiveItem | undefined {
    return this.messages
      .flatMap(({ items }) => items)
      .filter((item) => item.itemId === itemId)
      .at(-1);
  }

  sequences(itemId: string): number[] {
    return this.messages
      .flatMap(({ items }) => items)
      .filter((item) => item.itemId === itemId)
      .map(({ sequence }) => sequence);
  }
}

export function liveItem(itemId: string, sequence: number, more: Partial<LiveItem> = {}): LiveItem {
  const place = { partition: 0, position: sequence, asOf: "2026-01-01T00:00:00.000Z" };
  if (sequence === 0) return { itemId, sequence, status: "unknown", ...place };
  return {
    itemId,
    sequence,
    status: "open",
    highest: sequence < 3 ? null : { amount: sequence * 100, bidderId: "ben", bidId: `bid-${sequence}` },
    bids: Math.max(0, sequence - 2),
    rejected: 0,
    bidders: sequence < 3 ? 0 : 1,
    reserveMet: sequence >= 3,
    closesAt: "2026-01-02T00:00:00.000Z",
    ...place,
    ...more,
  } as LiveItem;
}

/** A partition whose items are numbers, with the product's own followers. */
export class FollowedPartition {
  readonly storage: PartitionStorage = memoryStorage();
  readonly sequences = new Map<string, number>();
  /** What it is told by a rebuild: sequences that are lower than they were, until it has caught up. */
  behind: Map<string, number> | undefined;
  catchUps = 0;
  follows: FollowQuery[] = [];
  isAway = false;
  /** It answers nobody before this. */
  busy: Promise<void> = Promise.resolve();
  followers: Followers;
  private readonly dependencies: PartitionDependencies;

  constructor(dependencies: Pick<PartitionDependencies, "clock" | "deliver">) {
    const { storage } = this;
    this.dependencies = {
      storage,
      logger: () => undefined,
      ...dependencies,
    } as unknown as PartitionDependencies;
    this.followers = this.newFollowers();
  }

  private newFollowers(): Followers {
    return new Followers(this.dependencies, {
      stateOf: (itemId) => liveItem(itemId, this.sequenceOf(itemId)),
      catchUp: async () => {
        this.catchUps += 1;
      },
      status: async () =>
        ({ journal: { endOffset: this.behind === undefined ? 1 : null } }) as PartitionStatus,
    });
  }

  private sequenceOf(itemId: string): number {
    return (this.behind ?? this.sequences).get(itemId) ?? 0;
  }

  /** A commit that changes items, each once. */
  change(...itemIds: string[]): void {
    for (const itemId of itemIds) this.sequences.set(itemId, (this.sequences.get(itemId) ?? 1) + 1);
    this.followers.changed(itemIds);
  }

  async follow(query: FollowQuery): Promise<FollowAnswer> {
    if (this.isAway) throw new Error("the partition is away");
    this.follows.push(query);
    await this.busy;
    return structuredClone(await this.followers.follow(query));
  }

  /** Out of memory and back. */
  evict(): void {
    this.followers.stop();
    this.followers = this.newFollowers();
  }

  get rows(): string[] {
    return this.storage
      .all<{ feed: string; item_id: string }>(`SELECT feed, item_id FROM followers ORDER BY feed, item_id`)
      .map(({ feed, item_id: itemId }) => `${feed} ${itemId}`);
  }
}

export const feedSettings = {
  mostSockets: 100,
  acknowledgeMs: 15_000,
  sessionMs: 3_600_000,
  repairMs: 30_000,
};

/** A feed's object: its core, its sockets and its alarm, as the platform keeps them. */
export class FeedObject {
  readonly name: string;
  readonly logged: { readonly event: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  core: FeedCore;
  private readonly inner = storageOver(new DatabaseSync(":memory:"));
  private readonly clock: StepClock;
  private readonly partitions: readonly FollowedPartition[];
  private readonly clients = new Set<Client>();
  alarmAt: number | null = null;
  readonly revoked = new Set<string>();
  isDatabaseAway = false;

  constructor(name: string, clock: StepClock, partitions: readonly FollowedPartition[]) {
    this.name = name;
    this.clock = clock;
    this.partitions = partitions;
    this.core = this.newCore();
  }

  private newCore(settings = feedSettings): FeedCore {
    const { name, clock, inner } = this;
    return new FeedCore({
      name,
      number: Number(name.split("/")[1]),
      storage: {
        ...inner,
        setAlarm: async (at) => {
          this.alarmAt = at;
        },
        getAlarm: async () => this.alarmAt,
      },
      clock,
      logger: (_, event, fields) => void this.logged.push({ event, fields: fields ?? {} }),
      random: () => 0.5,
      newSecret: () => crypto.randomUUID(),
      settings,
      partitionOf: (itemId) => Number(itemId.split("-")[1] ?? 0) % this.partitions.length,
      findRevoked: async (ids) => {
        if (this.isDatabaseAway) throw new Error("the database is away");
        return ids.filter((id) => this.revoked.has(id));
      },
      follow: (partition, query) => this.partition(partition).follow(structuredClone(query)),
    });
  }

  private partition(number: number): FollowedPartition {
    const partition = this.partitions[number];
    if (partition === undefined) throw new Error(`no partition ${number}`);
    return partition;
  }

  async connect(
    items: readonly string[],
    after?: string,
    holder: Holder = { credential: "ada", isStoredKey: false },
  ): Promise<Client> {
    const query = { items: [...items].sort(), holder, ...(after === undefined ? {} : { after }) };
    const admission = await this.core.admit(query);
    if (admission.kind !== "admitted") throw new Error("full");
    const client = new Client();
    client.last = after;
    this.clients.add(client);
    admission.take(client);
    return client;
  }

  acknowledge(client: Client, number = client.number): void {
    this.core.receive(client, JSON.stringify({ ack: number }));
  }

  has(client: Client): boolean {
    return this.clients.has(client);
  }

  leave(client: Client): void {
    this.clients.delete(client);
    this.core.closed(client);
  }

  /** Out of memory and back, with the sockets that are still open. */
  async evict(): Promise<void> {
    this.core = this.newCore();
    const kept = [...this.clients]
      .filter(({ closed }) => closed === undefined)
      .flatMap((client) => (client.attachment === undefined ? [] : [[client, client.attachment] as const]));
    await this.core.start(kept);
  }

  /** The platform calls the alarm that is due. */
  async fire(): Promise<void> {
    this.alarmAt = null;
    const alarm = this.core.alarm();
    await this.clock.advance(0);
    await Promise.race([alarm, settled()]);
  }

  advance(milliseconds: number): Promise<void> {
    return advance(this.clock, [this], milliseconds);
  }
}

/** Lets time pass, with the alarms that fall into it. */
export async function advance(
  clock: StepClock,
  feeds: readonly FeedObject[],
  milliseconds: number,
): Promise<void> {
  const end = clock.time + milliseconds;
  for (;;) {
    const due = feeds.filter(({ alarmAt }) => alarmAt !== null && alarmAt <= end);
    const [next] = due.sort((left, right) => (left.alarmAt ?? 0) - (right.alarmAt ?? 0));
    if (next === undefined) break;
    await clock.advance(Math.max(0, (next.alarmAt ?? 0) - clock.time));
    await next.fire();
  }
  await clock.advance(Math.max(0, end - clock.time));
}

/** Feeds and partitions that reach each other, unless the test says otherwise. */
export function liveWorld(count: { readonly feeds: number; readonly partitions: number }) {
  const clock = new StepClock();
  const lost = { pushes: 0, fail: 0, hang: 0 };
  const pushes: { readonly feed: string; readonly items: readonly LiveItem[]; readonly at: number }[] = [];
  const feeds: FeedObject[] = [];
  const partitions = Array.from({ length: count.partitions }, () => {
    return new FollowedPartition({
      clock,
      deliver: async (feed, items) => {
        if (lost.fail > 0) {
          lost.fail -= 1;
          throw new Error("the feed is away");
        }
        if (lost.hang > 0) {
          lost.hang -= 1;
          await new Promise(() => undefined);
        }
        pushes.push({ feed, items, at: clock.time });
        if (lost.pushes > 0) {
          lost.pushes -= 1;
          return { unwanted: [] };
        }
        const object = feeds.find(({ name }) => name === feed);
        if (object === undefined) throw new Error(`no ${feed}`);
        return structuredClone(object.core.deliver(structuredClone(items)));
      },
    });
  });
  for (let number = 0; number < count.feeds; number += 1) {
    feeds.push(new FeedObject(`feed/${number}`, clock, partitions));
  }
  return { clock, feeds, partitions, pushes, lost };
}

/** Two feeds, and the first of a few partitions. */
export function smallWorld(partitions = 1) {
  const world = liveWorld({ feeds: 2, partitions });
  const [partition] = world.partitions;
  const [feed, other] = world.feeds;
  if (partition === undefined || feed === undefined || other === undefined) throw new Error("no world");
  return { ...world, partition, feed, other };
}
