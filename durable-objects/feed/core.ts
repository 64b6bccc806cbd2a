import { decodeCursor } from "../../src/live/cursor.ts";
import type { LiveItem } from "../../src/live/item.ts";
import { type Ending, endings } from "../../src/live/protocol.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { describeError, type Logger } from "../../src/lib/log.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { migrate } from "../storage/migrations.ts";
import { type Attachment, Connection, type FeedSocket } from "./connection.ts";
import { Following } from "./following.ts";
import { type FeedItem, isBeyond, isWanted, newFeedItem, takeState } from "./item.ts";
import type { ConnectQuery, DeliverAnswer, FeedFigures, FollowAnswer, FollowQuery, Holder } from "./rpc.ts";
import { feedSchema } from "./schema.ts";
import { Tickets } from "./tickets.ts";

/** Items of all clients together. */
const mostFeedItems = 8_192;
/** Looks after clients that owe an acknowledgement, in one period of patience. */
const looksPerTimeout = 10;

export interface FeedSettings {
  readonly mostSockets: number;
  /** How long a client may acknowledge nothing while it has something to. */
  readonly acknowledgeMs: number;
  readonly sessionMs: number;
  /** How often the partitions are asked whether something was missed. */
  readonly repairMs: number;
}

/** Everything that a feed touches outside itself. */
export interface FeedDependencies {
  /** The object's name, and the number in it. */
  readonly name: string;
  readonly number: number;
  readonly storage: PartitionStorage;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly newSecret: () => string;
  readonly settings: FeedSettings;
  readonly partitionOf: (itemId: string) => number;
  /** Those of some keys of the database that are revoked. */
  readonly findRevoked: (keyIds: readonly string[]) => Promise<readonly string[]>;
  readonly follow: (partition: number, query: FollowQuery) => Promise<FollowAnswer>;
}

/** A connection that may be made; one of both has to be called. */
export interface Admission {
  readonly kind: "admitted";
  take(socket: FeedSocket): void;
  drop(): void;
}

/**
 * One feed: the clients of one object, and the items that they follow, which lie in several partitions.
 * It holds nothing that a partition does not: what is lost here is asked for again.
 */
export class FeedCore {
  readonly tickets: Tickets;
  private readonly dependencies: FeedDependencies;
  private readonly following: Following;
  private readonly items = new Map<string, FeedItem>();
  private readonly connections = new Map<FeedSocket, Connection>();
  /** Connections whose sockets do not have their place yet, or that owe an acknowledgement. */
  private readonly active = new Set<Connection>();
  private admitted = 0;
  private isLooking = false;
  private alarmAt: number | null = null;

  constructor(dependencies: FeedDependencies) {
    const { storage, clock, name: feed, follow } = dependencies;
    this.dependencies = dependencies;
    migrate(storage, feedSchema);
    this.tickets = new Tickets(dependencies);
    const onNews = (item: FeedItem): void => this.tell(item);
    this.following = new Following({ feed, storage, clock, follow, onNews });
  }

  /** After the object was not in memory: with the sockets that it still has. */
  async start(sockets: readonly (readonly [FeedSocket, Attachment])[]): Promise<void> {
    for (const [socket, attachment] of sockets) {
      const items = attachment.items.map((itemId) => this.item(itemId));
      this.keep(socket, new Connection(socket, items, attachment));
    }
    // What they were not sent is not in memory any more.
    if (sockets.some(([, { isBehind }]) => isBehind)) void this.repair();
    this.alarmAt = await this.dependencies.storage.getAlarm();
    this.arm();
  }

  /** @throws where a partition does not answer */
  async admit({
    items: itemIds,
    after,
    holder,
  }: ConnectQuery): Promise<Admission | { readonly kind: "full" }> {
    const { settings } = this.dependencies;
    const added = itemIds.filter((itemId) => !this.items.has(itemId)).length;
    const isFull = this.connections.size + this.admitted >= settings.mostSockets;
    if (isFull || this.items.size + added > mostFeedItems) return { kind: "full" };
    const versions =
      (after === undefined ? undefined : decodeCursor(after, itemIds)) ?? itemIds.map(() => "");
    const items = itemIds.map((itemId) => this.item(itemId));
    this.admitted += 1;
    for (const item of items) item.holds += 1;
    const drop = (): void => {
      this.admitted -= 1;
      for (const item of items) item.holds -= 1;
    };
    try {
      await this.load(items, versions);
    } catch (error) {
      drop();
      throw error;
    }
    const take = (socket: FeedSocket): void => {
      drop();
      this.connect(socket, items, versions, holder);
    };
    return { kind: "admitted", take, drop };
  }

  private connect(
    socket: FeedSocket,
    items: readonly FeedItem[],
    versions: readonly string[],
    holder: Holder,
  ): void {
    const { clock, random, settings } = this.dependencies;
    const now = clock.now();
    // Not all at once, where they all came at once.
    const endsAt = now + settings.sessionMs * (0.9 + random() / 10);
    const nothing = { sent: 0, acknowledged: 0, repeated: 0, since: now };
    const from = { holder, versions, endsAt, ...nothing, isBehind: true };
    const connection = new Connection(socket, items, from);
    this.keep(socket, connection);
    this.flush(connection);
    connection.save();
    this.arm();
  }

  private keep(socket: FeedSocket, connection: Connection): void {
    this.connections.set(socket, connection);
    if (connection.unacknowledged > 0) this.lookAfter(connection);
  }

  private item(itemId: string): FeedItem {
    const known = this.items.get(itemId);
    if (known !== undefined) return known;
    const item = newFeedItem(itemId, this.dependencies.partitionOf(itemId));
    this.items.set(itemId, item);
    return item;
  }

  /** Asks the partitions for what is not known here, or less than the client has seen elsewhere. */
  private async load(items: readonly FeedItem[], versions: readonly string[]): Promise<void> {
    const had = new Map(items.map((item, index) => [item, versions[index] ?? ""]));
    const seen = (item: FeedItem): string => had.get(item) ?? "";
    const isMissing = (item: FeedItem): boolean => item.state === undefined || isBeyond(item, seen(item));
    const partitions = new Set(items.filter(isMissing).map(({ partition }) => partition));
    const needed = (partition: number) => () =>
      items.filter((item) => item.partition === partition && isMissing(item));
    const calls = [...partitions].map((partition) =>
      this.following.begin(partition, needed(partition), seen),
    );
    try {
      await Promise.all(calls);
    } finally {
      // Also where one fails, which the partition may have taken note of: what nobody follows leaves with the alarm.
      this.arm();
    }
  }

  /**
   * The latest states of items, as their partition pushes them; answers those that nobody follows, of
   * which the partition then tells nothing more. What was known of them is forgotten with that: it would
   * pass for the latest with whoever comes next, and keep the partition from being asked.
   */
  deliver(states: readonly LiveItem[]): DeliverAnswer {
    const unwanted: string[] = [];
    const concerned = new Set<Connection>();
    for (const state of states) {
      const item = this.items.get(state.itemId);
      if (item === undefined || !isWanted(item)) {
        this.items.delete(state.itemId);
        unwanted.push(state.itemId);
      } else if (!isComing(item) && takeState(item, state, [])) this.concern(item, concerned);
    }
    for (const connection of concerned) this.flush(connection);
    return { unwanted };
  }

  private tell(item: FeedItem): void {
    const concerned = new Set<Connection>();
    this.concern(item, concerned);
    for (const connection of concerned) this.flush(connection);
  }

  private concern(item: FeedItem, concerned: Set<Connection>): void {
    for (const connection of item.connections) {
      connection.concern(item);
      concerned.add(connection);
    }
  }

  private flush(connection: Connection): void {
    connection.flush(this.dependencies.clock.now());
    if (connection.unacknowledged > 0) this.lookAfter(connection);
  }

  /** What a client sent. */
  receive(socket: FeedSocket, message: string | ArrayBuffer): void {
    const connection = this.connections.get(socket);
    if (connection === undefined) return;
    const ending = connection.receive(message, this.dependencies.clock.now());
    if (ending === undefined) this.lookAfter(connection);
    else this.end(socket, connection, ending);
  }

  /** A client is gone. */
  closed(socket: FeedSocket): void {
    const connection = this.connections.get(socket);
    if (connection === undefined) return;
    connection.leave();
    this.connections.delete(socket);
    this.active.delete(connection);
  }

  private end(socket: FeedSocket, connection: Connection, ending: Ending): void {
    const { name: feed, logger } = this.dependencies;
    this.closed(socket);
    connection.close(ending);
    if (ending !== endings.sessionOver) {
      logger("info", "live.ended", { feed, credential: connection.holder.credential, ...ending });
    }
  }

  /**
   * While somebody owes an acknowledgement a timer keeps the object in memory: no longer than that client
   * is waited for. It also keeps each place with its socket, so that this need not be done with each message;
   * a place that was not kept costs its client a state that it has already.
   */
  private lookAfter(connection: Connection): void {
    this.active.add(connection);
    if (this.isLooking) return;
    this.isLooking = true;
    void this.look();
  }

  private async look(): Promise<void> {
    const { clock, settings } = this.dependencies;
    while (this.active.size > 0) {
      await clock.sleep(settings.acknowledgeMs / looksPerTimeout);
      const now = clock.now();
      for (const [socket, connection] of this.connections) {
        if (!this.active.has(connection)) continue;
        if (connection.isTooSlow(now, settings.acknowledgeMs)) this.end(socket, connection, endings.tooSlow);
        else connection.save();
        if (connection.unacknowledged === 0) this.active.delete(connection);
      }
    }
    this.isLooking = false;
  }

  figures(): FeedFigures {
    const followed = [...this.items.values()].filter(({ connections }) => connections.size > 0);
    return { connections: this.connections.size, items: followed.length };
  }

  /** The object's alarm: ends sessions, tells the partitions what is followed, and takes what was missed. */
  async alarm(): Promise<void> {
    this.alarmAt = null;
    try {
      this.tickets.removeExpired();
      this.endSessions();
      await Promise.all([this.endRevoked(), this.repair()]);
    } finally {
      this.arm();
    }
  }

  private endSessions(): void {
    const now = this.dependencies.clock.now();
    for (const [socket, connection] of [...this.connections]) {
      if (connection.endsAt <= now) this.end(socket, connection, endings.sessionOver);
    }
  }

  /** A database that fails lets a connection last until its session ends, or the next look. */
  private async endRevoked(): Promise<void> {
    const { logger, name: feed, findRevoked } = this.dependencies;
    const open = [...this.connections].filter(([, { holder }]) => holder.isStoredKey);
    if (open.length === 0) return;
    try {
      const ids = new Set(open.map(([, { holder }]) => holder.credential));
      const revoked = new Set(await findRevoked([...ids]));
      for (const [socket, connection] of open) {
        const isOpen = this.connections.get(socket) === connection;
        if (isOpen && revoked.has(connection.holder.credential))
          this.end(socket, connection, endings.revoked);
      }
    } catch (error) {
      logger("warn", "feed-keys-not-read", { feed, error: describeError(error) });
    }
  }

  /** A partition that fails is asked again by the next alarm, and keeps no other from being asked. */
  private async repair(): Promise<void> {
    const { logger, name: feed } = this.dependencies;
    const partitions = new Set([...this.items.values()].map(({ partition }) => partition));
    const repairs = [...new Set([...this.following.partitions, ...partitions])].map(async (partition) => {
      try {
        await this.following.repair(partition, () => this.wantedOf(partition));
      } catch (error) {
        logger("warn", "feed-repair-failed", { feed, partition, error: describeError(error) });
      }
    });
    await Promise.all(repairs);
  }

  /** The items of a partition that are followed; the others, of which it is told so, are forgotten. */
  private wantedOf(partition: number): FeedItem[] {
    const items = [...this.items.values()].filter((item) => item.partition === partition);
    for (const item of items) if (!isWanted(item)) this.items.delete(item.itemId);
    return items.filter(isWanted);
  }

  /** The alarm is set while somebody is connected, a partition still tells, or a ticket waits. */
  arm(): void {
    const { clock, settings, storage } = this.dependencies;
    const isIdle = this.connections.size === 0 && this.following.partitions.size === 0;
    if (this.alarmAt !== null || (isIdle && this.tickets.count() === 0)) return;
    this.alarmAt = clock.now() + settings.repairMs;
    void storage.setAlarm(this.alarmAt);
  }
}

/**
 * Somebody comes for it, and the call that asks the partition for it has not had its turn: it is told then. A
 * push from before may be the last one, and taken for the answer it would keep the partition from being asked.
 */
function isComing({ state, connections }: FeedItem): boolean {
  return state === undefined && connections.size === 0;
}
