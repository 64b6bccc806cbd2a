import type { ConnectionPool } from "@platformatic/kafka";
import type { Cluster } from "./cluster.ts";

/** Reads that wait at the brokers at the same time; a further one asks now and then instead. */
const MOST_WAITS = 64;
/** Longer than any one wait at a broker. */
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Connections for reads that wait. A broker answers the requests of a connection one after the
 * other, so that one that waits for records would hold up all behind it: each has its own.
 */
export class WaitConnections {
  readonly #cluster: Cluster;
  readonly #free: ConnectionPool[] = [];
  #count = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** A pool for one wait; undefined when there are as many as may be. */
  take(): ConnectionPool | undefined {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#count >= MOST_WAITS) return undefined;
    this.#count += 1;
    return this.#cluster.makePool(REQUEST_TIMEOUT_MS);
  }

  giveBack(pool: ConnectionPool): void {
    this.#free.push(pool);
  }

  async close(): Promise<void> {
    await Promise.all(this.#free.map((pool) => pool.close()));
  }
}
