import { setTimeout as sleep } from "node:timers/promises";
import type { CompressionAlgorithmValue, ConnectionPool } from "@platformatic/kafka";
import { type AppendRecord, type AppendResult, LogFailure } from "../log.ts";
import { AppendCall, Piece } from "./append-call.ts";
import type { Cluster } from "./cluster.ts";
import { failureFrom } from "./errors.ts";
import { PartitionQueue } from "./partition-queue.ts";
import type { PartitionAnswer } from "./produce-answer.ts";
import { ProduceExchange } from "./produce-exchange.ts";

export interface ProducerSettings {
  readonly compression: CompressionAlgorithmValue;
  /** How long a first record waits for company, in milliseconds; 0 for one turn of the event loop. */
  readonly lingerMs: number;
  /** How long a call may take, in milliseconds; then it is answered whatever became of it. */
  readonly timeoutMs: number;
  /** Bytes of records on their way; beyond it a call fails at once. */
  readonly maxPendingBytes: number;
  /** Bytes of one batch, uncompressed; the broker bounds it (max.message.bytes). */
  readonly maxBatchBytes: number;
}

/** Hears what was appended under a clock that is not the records' own. */
export type OnAppendTime = (topic: string) => void;

/**
 * Requests under way to one broker. With two, one is put together while the broker works on the
 * other; more would only make the batches smaller.
 */
const REQUESTS_PER_BROKER = 2;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;

/**
 * Appends with acks=all as an idempotent producer, in batches over all calls that are under way.
 *
 * Order: a partition has one batch under way, which is sent again under the same producer id and
 * sequence until it is decided or its time is up, so that a lost answer appends nothing twice and
 * nothing overtakes. A batch whose time is up while it is in doubt leaves its producer id behind: a
 * next batch under the same sequence would be taken for its repetition, and acknowledged unwritten.
 */
export class Producer {
  readonly #cluster: Cluster;
  readonly #settings: ProducerSettings;
  readonly #exchange: ProduceExchange;
  readonly #onAppendTime: OnAppendTime;
  readonly #queues = new Map<string, PartitionQueue>();
  /** Those that have something to send. */
  readonly #active = new Set<PartitionQueue>();
  readonly #requests = new Map<number, number>();
  #pendingBytes = 0;
  #isScheduled = false;

  constructor(
    cluster: Cluster,
    pool: ConnectionPool,
    settings: ProducerSettings,
    onAppendTime: OnAppendTime,
  ) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#exchange = new ProduceExchange(cluster, pool);
    this.#onAppendTime = onAppendTime;
  }

  /** One result a record, in order. @throws {LogFailure} when there is too much on its way already. */
  async append(records: readonly AppendRecord[]): Promise<readonly AppendResult[]> {
    if (this.#pendingBytes > this.#settings.maxPendingBytes) {
      const text = "too much is on its way to Kafka; nothing was written";
      throw new LogFailure("unavailable", "none", text);
    }
    await this.#cluster.known(records.map(({ topic }) => topic));
    const call = new AppendCall(records);
    const deadline = Date.now() + this.#settings.timeoutMs;
    for (const share of call.shares) {
      const piece = new Piece(share.records, deadline, (results) => {
        this.#pendingBytes -= piece.bytes;
        call.settle(share, results);
      });
      this.#pendingBytes += piece.bytes;
      const queue = this.#queueOf(share.topic, share.partition);
      queue.add(piece);
      this.#active.add(queue);
    }
    this.#schedule(this.#settings.lingerMs);
    return call.results;
  }

  /** Resolves when nothing is on its way any more. */
  async drain(): Promise<void> {
    while (this.#pendingBytes > 0) await sleep(5);
  }

  #queueOf(topic: string, partition: number): PartitionQueue {
    const address = `${topic}/${partition}`;
    let queue = this.#queues.get(address);
    if (queue === undefined) {
      queue = new PartitionQueue(topic, partition);
      this.#queues.set(address, queue);
    }
    return queue;
  }

  #schedule(milliseconds: number): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const dispatch = () => {
      this.#isScheduled = false;
      this.#dispatch();
    };
    // After the poll phase: what was already read from other sockets joins.
    if (milliseconds === 0) setImmediate(dispatch);
    else setTimeout(dispatch, milliseconds);
  }

  /** Sends to every broker that has room what its partitions have waiting. */
  #dispatch(): void {
    const byNode = new Map<number, PartitionQueue[]>();
    for (const queue of this.#active) {
      if (queue.isSending || queue.isResting) continue;
      const node = this.#leaderOf(queue);
      if (node === undefined || (this.#requests.get(node) ?? 0) >= REQUESTS_PER_BROKER) continue;
      this.#fill(queue);
      const list = byNode.get(node);
      if (list === undefined) byNode.set(node, [queue]);
      else list.push(queue);
    }
    for (const [node, queues] of byNode) void this.#send(node, queues);
  }

  #fill(queue: PartitionQueue): void {
    if (queue.batch === undefined) queue.fill(this.#settings.maxBatchBytes, this.#settings.compression);
  }

  /** Undefined where there is no leader now: the batch waits, or fails when its time is up. */
  #leaderOf(queue: PartitionQueue): number | undefined {
    try {
      const { node, topicId } = this.#cluster.leaderOf(queue);
      queue.belongTo(topicId);
      return node;
    } catch (error) {
      const failure = failureFrom(error, "looking for a leader", "none");
      this.#fill(queue);
      // A partition that was there when the batch was first sent may be on its way back.
      const isNews = failure.code === "unknown-partition" && queue.batch?.attempts === 0;
      this.#decide(queue, { kind: isNews ? "failed" : "again", failure });
      return undefined;
    }
  }

  async #send(node: number, queues: readonly PartitionQueue[]): Promise<void> {
    this.#requests.set(node, (this.#requests.get(node) ?? 0) + 1);
    for (const queue of queues) queue.isSending = true;
    const answers = await this.#exchange.send(node, queues);
    this.#requests.set(node, (this.#requests.get(node) ?? 1) - 1);
    for (const [queue, answer] of answers) {
      queue.isSending = false;
      this.#decide(queue, answer);
    }
    this.#schedule(0);
  }

  #decide(queue: PartitionQueue, answer: PartitionAnswer): void {
    switch (answer.kind) {
      case "appended":
        if (answer.appendTime !== null) this.#onAppendTime(queue.topic);
        queue.succeed(answer.baseOffset, answer.topicId, answer.appendTime);
        break;
      case "again":
        this.#tryAgain(queue, answer.failure);
        break;
      case "renew":
        // What is in doubt would be appended a second time under another producer.
        if (queue.batch?.isInDoubt === true) queue.fail(inDoubt(answer.failure));
        else {
          queue.retireIdentity();
          this.#tryAgain(queue, answer.failure);
        }
        break;
      case "apart":
        // What is in doubt may be in the log as it was: in two it would be another batch.
        if (queue.batch?.isInDoubt === true) queue.fail(inDoubt(answer.failure));
        else if (!queue.halve()) queue.fail(answer.failure);
        break;
      case "failed":
        queue.fail(queue.batch?.isInDoubt === true ? inDoubt(answer.failure) : answer.failure);
        break;
    }
    if (queue.isEmpty) this.#active.delete(queue);
  }

  #tryAgain(queue: PartitionQueue, failure: LogFailure): void {
    const { batch } = queue;
    if (batch === undefined) return;
    if (failure.effect === "unknown") batch.isInDoubt = true;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(batch.attempts, 10));
    batch.attempts += 1;
    if (Date.now() + pause >= batch.deadline) {
      queue.fail(batch.isInDoubt ? inDoubt(failure) : failure);
      return;
    }
    queue.isResting = true;
    this.#cluster.refresh().catch(() => undefined);
    setTimeout(() => {
      queue.isResting = false;
      this.#schedule(0);
    }, pause);
  }
}

function inDoubt({ code, message, cause }: LogFailure): LogFailure {
  return new LogFailure(code === "timeout" ? "timeout" : "unavailable", "unknown", message, cause);
}
