import { setTimeout as sleep } from "node:timers/promises";
import { apiVersionsV3, type Connection, type ConnectionPool, findCoordinatorV4 } from "@platformatic/kafka";
import { StaleMembership } from "../../groups/coordinator.ts";
import { type Effect, LogFailure } from "../../log.ts";
import type { Cluster } from "../cluster.ts";
import { failureFrom, protocolErrorName } from "../errors.ts";

/** For requests that a coordinator answers at once. */
const REQUEST_TIMEOUT_MS = 5_000;
/** A group may wait for members of other programs, which take up to five minutes by default. */
const JOIN_TIMEOUT_MS = 330_000;
/** Connections that are kept for the next join: a join in work blocks its connection. */
const MAX_IDLE = 8;
/** A coordinator that moves or begins is asked again for this long. */
const PATIENCE_MS = 4_000;
const PAUSE_MS = 100;

const GROUP_KEY_TYPE = 0;
const JOIN_GROUP_KEY = 11;
const JOIN_GROUP_VERSION = 9;
const MAX_REMEMBERED = 10_000;

const elsewhere = new Set(["NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE", "COORDINATOR_LOAD_IN_PROGRESS"]);
const staleReasons: ReadonlyMap<string, StaleMembership["reason"]> = new Map([
  ["REBALANCE_IN_PROGRESS", "rebalancing"],
  ["ILLEGAL_GENERATION", "rebalancing"],
  ["FENCED_INSTANCE_ID", "lost"],
  ["UNKNOWN_MEMBER_ID", "lost"],
]);

interface Question {
  readonly pool: ConnectionPool;
  readonly group: string;
  readonly doing: string;
  readonly effect: Effect;
}

/** Ways to the brokers that coordinate groups. */
export class GroupBrokers {
  readonly #cluster: Cluster;
  readonly #pool: ConnectionPool;
  readonly #idle: ConnectionPool[] = [];
  /** Group → the broker that coordinates it, as last seen. */
  readonly #coordinators = new Map<string, number>();
  #isRecent = false;
  #closed = false;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#pool = cluster.makePool(REQUEST_TIMEOUT_MS);
  }

  /**
   * Asks the group's coordinator, wherever it is.
   * @param effect what an answer that does not come leaves open
   * @throws {StaleMembership} @throws {LogFailure}
   */
  ask<T>(
    group: string,
    doing: string,
    action: (connection: Connection) => Promise<T>,
    effect: Effect = "none",
  ): Promise<T> {
    return this.#ask({ pool: this.#pool, group, doing, effect }, action);
  }

  /** The same for what waits for other members, on a connection of its own, which `open` hands over. */
  async askAndWait<T>(
    group: string,
    doing: string,
    action: (connection: Connection) => Promise<T>,
    open: (pool: ConnectionPool) => void,
  ): Promise<T> {
    const pool = this.#idle.pop() ?? this.#cluster.makePool(JOIN_TIMEOUT_MS);
    open(pool);
    try {
      const answer = await this.#ask({ pool, group, doing, effect: "none" }, action);
      if (this.#idle.length < MAX_IDLE && !this.#closed) this.#idle.push(pool);
      else await pool.close();
      return answer;
    } catch (error) {
      // On it may still be an answer that nobody waits for.
      await pool.close();
      throw error;
    }
  }

  /** Asks each broker. @throws {LogFailure} */
  async askAll<T>(doing: string, action: (connection: Connection) => Promise<T>): Promise<T[]> {
    await this.#cluster.recent();
    const { nodes } = this.#cluster;
    try {
      return await Promise.all(
        nodes.map(async (node) => action(await this.#cluster.connect(this.#pool, node))),
      );
    } catch (error) {
      throw failureFrom(error, doing, "none");
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#pool, ...this.#idle].map((pool) => pool.close()));
  }

  async #ask<T>(
    { pool, group, doing, effect }: Question,
    action: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        const node = this.#coordinators.get(group) ?? (await this.#findCoordinator(group));
        return await action(await this.#cluster.connect(pool, node));
      } catch (error) {
        const name = protocolErrorName(error);
        const stale = staleReasons.get(name ?? "");
        if (stale !== undefined) throw new StaleMembership(stale);
        // Without an answer it is not known either whether the coordinator is still the same.
        this.#coordinators.delete(group);
        if (!elsewhere.has(name ?? "") || performance.now() > until || this.#closed) {
          throw failureFrom(error, doing, effect);
        }
        await sleep(PAUSE_MS);
      }
    }
  }

  async #findCoordinator(group: string): Promise<number> {
    await this.#cluster.recent();
    const connection = await this.#cluster.connectToAny();
    await this.#checkVersion(connection);
    const { coordinators } = await findCoordinatorV4.api.async(connection, GROUP_KEY_TYPE, [group]);
    const node = coordinators[0]?.nodeId;
    if (node === undefined) throw new LogFailure("unavailable", "none", "Kafka names no group coordinator");
    if (this.#coordinators.size >= MAX_REMEMBERED) this.#coordinators.clear();
    this.#coordinators.set(group, node);
    return node;
  }

  async #checkVersion(connection: Connection): Promise<void> {
    if (this.#isRecent) return;
    const { apiKeys } = await apiVersionsV3.api.async(connection, "gavel-bridge", "1");
    this.#isRecent = apiKeys.some(
      ({ apiKey, minVersion, maxVersion }) =>
        apiKey === JOIN_GROUP_KEY && minVersion <= JOIN_GROUP_VERSION && JOIN_GROUP_VERSION <= maxVersion,
    );
    if (!this.#isRecent) throw new LogFailure("refused", "none", "consumer groups need Kafka 3.2 or later");
  }
}
