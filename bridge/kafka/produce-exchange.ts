import type { ConnectionPool } from "@platformatic/kafka";
import { LogFailure } from "../log.ts";
import type { Cluster } from "./cluster.ts";
import { failureFrom } from "./errors.ts";
import type { PartitionQueue, ProducerIdentity } from "./partition-queue.ts";
import { answerFor, type PartitionAnswer, type ProduceResponse, doubtOf } from "./produce-answer.ts";
import { sendProduce } from "./produce-request.ts";
import { identify } from "./record-batch.ts";

/** How old a view may be that tells the id of a topic in which others wrote as well. Milliseconds. */
const OTHERS_WROTE_AGE_MS = 250;

export type Answers = ReadonlyMap<PartitionQueue, PartitionAnswer>;

/** How far a request has come. */
interface Progress {
  /** The brokers may have it. */
  isSent: boolean;
  /** Nobody waits for it any more: its batches are decided, and the queues may hold others. */
  isGivenUp: boolean;
}

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
    const progress: Progress = { isSent: false, isGivenUp: false };
    try {
      const response = await withTimeLimit(this.#request(node, queues, remaining, progress), remaining);
      await this.#refreshFor(queues, response);
      return new Map(queues.map((queue) => [queue, answerFor(queue, response, this.#cluster)]));
    } catch (error) {
      progress.isGivenUp = true;
      const failure = failureFrom(error, "producing", progress.isSent ? "unknown" : "none");
      const left = failure.code === "timeout" && progress.isSent ? "unknown" : failure.effect;
      const again = new LogFailure(failure.code, left, failure.message, failure);
      return new Map(queues.map((queue) => [queue, { kind: "again", failure: again }]));
    }
  }

  /**
   * A topic that was made again answers to the same name: where the offsets leave that open, the id is
   * looked up anew before anybody is told it. The records are in the log whatever comes of that.
   */
  async #refreshFor(queues: readonly PartitionQueue[], response: ProduceResponse): Promise<void> {
    const answeredAt = Date.now();
    const doubts = queues.map((queue) => doubtOf(response, queue));
    if (doubts.every((doubt) => doubt === "none")) return;
    const needsNewest = doubts.includes("another-log");
    try {
      await this.#cluster.refresh(needsNewest ? answeredAt : answeredAt - OTHERS_WROTE_AGE_MS);
    } catch (error) {
      throw new LogFailure(
        "unavailable",
        "unknown",
        "Kafka does not tell which topic took the records",
        error,
      );
    }
  }

  /**
   * What was given up before it was sent never is: its batches were told to have had no effect, and
   * in the queues may be others, which would be sent twice, once in nobody's name. If theirs then
   * were told to have had none as well, their sequences would serve for the next ones, which the
   * broker would take for repetitions: acknowledged, and not in the log.
   */
  async #request(
    node: number,
    queues: readonly PartitionQueue[],
    timeoutMs: number,
    progress: Progress,
  ): Promise<ProduceResponse> {
    for (const queue of queues) await this.#identify(queue, progress);
    const connection = await this.#cluster.connect(this.#pool, node);
    goOnUnlessGivenUp(progress);
    progress.isSent = true;
    return sendProduce(this.#cluster.protocol.produce, connection, timeoutMs, queues);
  }

  async #identify(queue: PartitionQueue, progress: Progress): Promise<void> {
    if (queue.identity === undefined) {
      const identity = await this.#newIdentity();
      goOnUnlessGivenUp(progress);
      queue.identity = identity;
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

/** @throws {LogFailure} which nobody hears. */
function goOnUnlessGivenUp({ isGivenUp }: Progress): void {
  if (isGivenUp) throw new LogFailure("timeout", "none", "given up before it was sent");
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
