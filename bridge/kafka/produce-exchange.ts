import type { ConnectionPool } from "@platformatic/kafka";
import { LogFailure } from "../log.ts";
import type { Cluster } from "./cluster.ts";
import { failureFrom } from "./errors.ts";
import type { PartitionQueue, ProducerIdentity } from "./partition-queue.ts";
import { answerFor, type PartitionAnswer, type ProduceResponse, showsAnotherLog } from "./produce-answer.ts";
import { sendProduce } from "./produce-request.ts";
import { identify } from "./record-batch.ts";

export type Answers = ReadonlyMap<PartitionQueue, PartitionAnswer>;

/** One request with the batches of several partitions to their leader, under producer identities. */
export class ProduceExchange {
  readonly #cluster: Cluster;
  readonly #pool: ConnectionPool;
  #identity: Promise<ProducerIdentity> | undefined;

  constructor(cluster: Cluster, pool: ConnectionPool) {
    this.#cluster = cluster;
    this.#pool = pool;
  }

  /** An answer for every queue, at the latest when the time of the first batch is up. Never throws. */
  async send(node: number, queues: readonly PartitionQueue[]): Promise<Answers> {
    const deadline = Math.min(...queues.map(({ batch }) => batch?.deadline ?? Number.POSITIVE_INFINITY));
    const remaining = Math.max(1, deadline - Date.now());
    const progress = { isSent: false };
    try {
      const response = await withTimeLimit(this.#request(node, queues, remaining, progress), remaining);
      if (queues.some((queue) => showsAnotherLog(response, queue))) await this.#cluster.refresh();
      return new Map(queues.map((queue) => [queue, answerFor(queue, response, this.#cluster)]));
    } catch (error) {
      const failure = failureFrom(error, "producing", progress.isSent ? "unknown" : "none");
      const left = failure.code === "timeout" && progress.isSent ? "unknown" : failure.effect;
      const again = new LogFailure(failure.code, left, failure.message, failure);
      return new Map(queues.map((queue) => [queue, { kind: "again", failure: again }]));
    }
  }

  async #request(
    node: number,
    queues: readonly PartitionQueue[],
    timeoutMs: number,
    progress: { isSent: boolean },
  ): Promise<ProduceResponse> {
    for (const queue of queues) await this.#identify(queue);
    const connection = await this.#cluster.connect(this.#pool, node);
    progress.isSent = true;
    return sendProduce(this.#cluster.protocol.produce, connection, timeoutMs, queues);
  }

  async #identify(queue: PartitionQueue): Promise<void> {
    if (queue.identity === undefined) {
      queue.identity = await this.#newIdentity();
      queue.sequence = 0;
    }
    const { identity, batch, sequence } = queue;
    if (batch === undefined) return;
    identify(batch.bytes, {
      producerId: identity.id,
      producerEpoch: identity.epoch,
      firstSequence: sequence,
    });
  }

  /** Partitions that ask at the same time share one: a producer counts in each partition apart. */
  #newIdentity(): Promise<ProducerIdentity> {
    this.#identity ??= this.#askForIdentity().finally(() => (this.#identity = undefined));
    return this.#identity;
  }

  async #askForIdentity(): Promise<ProducerIdentity> {
    try {
      const connection = await this.#cluster.connectToAny();
      const { initProducerId } = this.#cluster.protocol;
      const { producerId, producerEpoch } = await initProducerId.async(connection, null, 0);
      return { id: producerId, epoch: producerEpoch };
    } catch (error) {
      this.#cluster.turnAway();
      throw error;
    }
  }
}

/** What comes too late is dropped: its batch is decided by then. */
function withTimeLimit<Result>(work: Promise<Result>, milliseconds: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new LogFailure("timeout", "none", "Kafka did not answer in time"));
    }, milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
