import type { ProduceRecord } from "../src/kafka/port.ts";
import { type TopicRole, topics } from "../src/topics.ts";
import type { AppendedPlace, PartitionDependencies } from "./dependencies.ts";
import { recordOf, type PreparedOutput } from "./outbox-record.ts";
import { Slice, type Step } from "./outbox-slice.ts";
import { produceInParts } from "./produce-in-parts.ts";
import { type FanOut, isFanOut, type StoredOutbox } from "./storage/outbox.ts";

/**
 * While outputs come steadily, a produce waits a moment for company, as a commit does: it costs the
 * same for one as for many.
 */
const lingerMs = 20;
const steadyMs = 10;
/** So many outputs wait for no company. */
const enoughParts = 200;
/**
 * How long acknowledgements wait for a transaction to carry them: one of their own costs as much as
 * applying a record does. A crash until then sends the outputs again, under their sequences.
 */
const settleMs = 400;

export interface OutboxSenderHost<Topic extends TopicRole> {
  readonly source: string;
  /** Nothing is sent for now: what was decided rests on a log that is gone. */
  isStopped(): boolean;
  readonly topics: readonly Topic[];
  outbox(): StoredOutbox<Topic>;
  /** Adds the next outputs of a fan-out to a produce. */
  expand(
    fanOut: FanOut,
    slice: Slice,
    recordOf: (output: PreparedOutput, sequence: number) => ProduceRecord,
    firstSequence: number,
  ): void;
  /** The log has these, in order: whoever reads the topic may be handed them. */
  onAppended(topic: Topic, records: readonly ProduceRecord[], places: readonly AppendedPlace[]): void;
  onFailure(error: unknown): void;
  onSent(): void;
  /** Writes the acknowledgements that no other transaction has written. */
  settle(): void;
}

/**
 * Sends the outbox, each topic in order with one produce in flight, so that a partial append is a
 * prefix and a sequence never comes before the one in front of it. What is not sure to have been
 * appended is sent again under the same sequence, and dropped downstream.
 */
export class OutboxSender<Topic extends TopicRole> {
  private readonly dependencies: PartitionDependencies;
  private readonly host: OutboxSenderHost<Topic>;
  private readonly sending = new Map<Topic, Promise<void>>();
  private readonly sentAt = new Map<Topic, number>();
  private isSettling = false;

  constructor(dependencies: PartitionDependencies, host: OutboxSenderHost<Topic>) {
    this.dependencies = dependencies;
    this.host = host;
  }

  kick(): void {
    if (this.host.isStopped()) return;
    for (const topic of this.host.topics) {
      if (this.sending.has(topic) || this.host.outbox().queue(topic).length === 0) continue;
      this.sending.set(topic, this.drain(topic));
    }
  }

  /** Sends until the outbox is empty or a produce fails. */
  async flush(): Promise<void> {
    this.kick();
    await this.rest();
    this.host.settle();
  }

  /** Resolves when no produce is under way. */
  async rest(): Promise<void> {
    while (this.sending.size > 0) await Promise.all(this.sending.values());
  }

  private async drain(topic: Topic): Promise<void> {
    try {
      while (this.host.outbox().queue(topic).length > 0) {
        await this.linger(topic);
        if (this.host.isStopped()) break;
        await this.send(topic);
        this.sentAt.set(topic, this.dependencies.clock.now());
        this.host.onSent();
      }
    } catch (error) {
      this.host.onFailure(error);
    } finally {
      this.sending.delete(topic);
    }
    void this.settleSoon();
  }

  private async linger(topic: Topic): Promise<void> {
    const { clock } = this.dependencies;
    const parts = this.host
      .outbox()
      .queue(topic)
      .reduce((sum, row) => sum + row.parts.length, 0);
    const isSteady = clock.now() - (this.sentAt.get(topic) ?? 0) < steadyMs;
    if (isSteady && parts < enoughParts) await clock.sleep(lingerMs);
  }

  /** One wait at a time: under load the next run's transaction carries what was acknowledged. */
  private async settleSoon(): Promise<void> {
    if (this.isSettling) return;
    this.isSettling = true;
    await this.dependencies.clock.sleep(settleMs);
    this.isSettling = false;
    try {
      this.host.settle();
    } catch (error) {
      this.host.onFailure(error);
    }
  }

  /**
   * One produce: outputs and slices of fan-outs from the head of the queue, as many as fit, so that
   * many small completions share it.
   */
  private async send(topic: Topic): Promise<void> {
    const slice = new Slice();
    const outbox = this.host.outbox();
    for (const row of outbox.queue(topic)) {
      // A row that is sent whole is deleted; one that is sent in part has to be written again.
      if (slice.records.length > 0 && slice.records.length + row.parts.length > Slice.maximumRecords) break;
      let sequence = row.firstSequence;
      for (const part of row.parts) {
        if (slice.isFull) break;
        if (isFanOut(part)) {
          const makeRecord = (output: PreparedOutput, at: number) => this.recordOf(topic, output, at);
          this.host.expand(part, slice, makeRecord, sequence);
          sequence += part.losers.count - part.sent;
        } else {
          slice.addOutput(this.recordOf(topic, part, sequence));
          sequence += 1;
        }
      }
      if (slice.isFull) break;
    }
    await this.produce(topic, slice.records, (count) => {
      // A transaction that failed meanwhile has had the outbox read again: its rows are other ones.
      if (this.host.outbox() === outbox) this.acknowledge(topic, slice.steps, count);
    });
  }

  /**
   * The log has the first `count` records. A fan-out's slice counts when all of it is there; of
   * one that is there in part, all is sent again under the same sequences.
   */
  private acknowledge(topic: Topic, steps: readonly Step[], count: number): void {
    let left = count;
    let done = 0;
    let begun: FanOut | undefined;
    for (const step of steps) {
      if (step.records > left) break;
      left -= step.records;
      if (step.begun === undefined) done += 1;
      else begun = step.begun;
    }
    this.host.outbox().acknowledge(topic, done, begun);
  }

  private recordOf(topic: Topic, output: PreparedOutput, sequence: number): ProduceRecord {
    const { partition, settings } = this.dependencies;
    const name = settings.topicPrefix + topics[topic];
    return recordOf(output, { topic: name, partition, source: this.host.source, sequence });
  }

  /** Appends and tells how many of them, from the first, the log now has. */
  private async produce(
    topic: Topic,
    records: readonly ProduceRecord[],
    acknowledge: (count: number) => void,
  ): Promise<void> {
    if (records.length === 0) return acknowledge(0);
    const results = await produceInParts(this.dependencies, records);
    const failed = results.findIndex((result) => !result.ok);
    const count = failed === -1 ? records.length : failed;
    acknowledge(count);
    const places = results.slice(0, count).filter((result) => result.ok);
    if (count > 0) this.host.onAppended(topic, records.slice(0, count), places);
    const failure = results[failed];
    if (failure !== undefined && !failure.ok) throw failure.error;
  }
}
