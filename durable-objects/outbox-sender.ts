import { lost } from "../src/auction/outputs.ts";
import { outputTopics, type Entry, type OutputTopic } from "../src/auction/state.ts";
import type { ProduceRecord } from "../src/kafka/port.ts";
import { topics } from "../src/topology.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import { prepare, recordOf, type PreparedOutput } from "./outbox-record.ts";
import { produceInParts } from "./produce-in-parts.ts";
import { isFanOut, type FanOut, type StoredOutbox } from "./storage/outbox.ts";

/** One produce at most, by count and by characters of the values. */
const maximumRecords = 1_000;
const maximumCharacters = 700_000;
/** Entries that the fan-outs of one produce look at. */
const maximumWalked = 2_000;

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

/** What one produce brings of one part of the queue. */
interface Step {
  /** How many of the records are of this part. */
  readonly records: number;
  /** Of a fan-out that this produce does not finish: where it then is. */
  readonly begun?: FanOut;
}

export interface OutboxSenderHost {
  readonly source: string;
  /** Nothing is sent for now: what was decided rests on a log that is gone. */
  isStopped(): boolean;
  outbox(): StoredOutbox;
  entry(number: number): Entry | undefined;
  /** Whether this entry is the last accepted bid of its bidder on its item. */
  isLastOfBidder(entry: Entry): boolean;
  /** Highest sequence of each topic that was there before a wipe; up to it nothing is sent again. */
  alreadySent(topic: OutputTopic): number;
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
export class OutboxSender {
  private readonly dependencies: PartitionDependencies;
  private readonly host: OutboxSenderHost;
  private readonly sending = new Map<OutputTopic, Promise<void>>();
  private readonly sentAt = new Map<OutputTopic, number>();
  private isSettling = false;

  constructor(dependencies: PartitionDependencies, host: OutboxSenderHost) {
    this.dependencies = dependencies;
    this.host = host;
  }

  kick(): void {
    if (this.host.isStopped()) return;
    for (const topic of outputTopics) {
      if (this.sending.has(topic) || this.host.outbox().queue(topic).length === 0) continue;
      this.sending.set(topic, this.drain(topic));
    }
  }

  /** Sends until the outbox is empty or a produce fails. */
  async flush(): Promise<void> {
    this.kick();
    while (this.sending.size > 0) await Promise.all(this.sending.values());
    this.host.settle();
  }

  private async drain(topic: OutputTopic): Promise<void> {
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

  private async linger(topic: OutputTopic): Promise<void> {
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
  private async send(topic: OutputTopic): Promise<void> {
    const slice = new Slice();
    const outbox = this.host.outbox();
    for (const row of outbox.queue(topic)) {
      // A row that is sent whole is deleted; one that is sent in part has to be written again.
      if (slice.records.length > 0 && slice.records.length + row.parts.length > maximumRecords) break;
      let sequence = row.firstSequence;
      for (const part of row.parts) {
        if (slice.isFull) break;
        if (isFanOut(part)) {
          this.walk(part, sequence, slice);
          sequence += part.losers.count - part.sent;
        } else {
          slice.addOutput(this.recordOf(topic, part, sequence));
          sequence += 1;
        }
      }
      if (slice.isFull) break;
    }
    await this.produce(slice.records, (count) => {
      // A transaction that failed meanwhile has had the outbox read again: its rows are other ones.
      if (this.host.outbox() === outbox) this.acknowledge(topic, slice.steps, count);
    });
  }

  /**
   * Adds a fan-out's next outputs, walking the item's entries from newest to oldest: a bidder's
   * newest accepted bid is met first. Walked from the newest on, the bidders met tell which bid
   * that is; a walk that goes on in the middle has to look it up.
   */
  private walk(fanOut: FanOut, firstSequence: number, slice: Slice): void {
    const { losers } = fanOut;
    const alreadySent = this.host.alreadySent("notifications");
    const met = fanOut.cursor === losers.lastEntry ? new Set<string>() : undefined;
    const before = slice.records.length;
    let { cursor, sent } = fanOut;
    for (; cursor !== 0 && !slice.isFull; slice.walked += 1) {
      const entry = this.host.entry(cursor);
      if (entry === undefined) throw new Error(`entry ${cursor} of item ${losers.itemId} is not stored`);
      cursor = entry.previous;
      if (entry.kind !== "bid" || entry.reason !== null || entry.bidderId === losers.winner) continue;
      if (met === undefined ? !this.host.isLastOfBidder(entry) : met.has(entry.bidderId)) continue;
      met?.add(entry.bidderId);
      sent += 1;
      const sequence = firstSequence + sent - fanOut.sent - 1;
      if (sequence <= alreadySent) continue;
      slice.add(this.recordOf("notifications", prepare(lost(losers, entry, sent)), sequence));
    }
    if (cursor === 0 && sent !== losers.count) {
      // Nobody is left to be told, and holding up every output behind it would help nobody either.
      const { itemId, count } = losers;
      this.dependencies.logger("error", "fan-out.miscounted", { itemId, counted: count, met: sent });
    }
    const records = slice.records.length - before;
    slice.steps.push(cursor === 0 ? { records } : { records, begun: { losers, cursor, sent } });
  }

  /**
   * The log has the first `count` records. A fan-out's slice counts when all of it is there; of
   * one that is there in part, all is sent again under the same sequences.
   */
  private acknowledge(topic: OutputTopic, steps: readonly Step[], count: number): void {
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

  private recordOf(topic: OutputTopic, output: PreparedOutput, sequence: number): ProduceRecord {
    const { partition, settings } = this.dependencies;
    const name = settings.topicPrefix + topics[topic];
    return recordOf(output, { topic: name, partition, source: this.host.source, sequence });
  }

  /** Appends and tells how many of them, from the first, the log now has. */
  private async produce(
    records: readonly ProduceRecord[],
    acknowledge: (count: number) => void,
  ): Promise<void> {
    if (records.length === 0) return acknowledge(0);
    const results = await produceInParts(this.dependencies, records);
    const failed = results.findIndex((result) => !result.ok);
    acknowledge(failed === -1 ? records.length : failed);
    const failure = results[failed];
    if (failure !== undefined && !failure.ok) throw failure.error;
  }
}

/** What one produce takes from the queue. */
class Slice {
  readonly records: ProduceRecord[] = [];
  readonly steps: Step[] = [];
  walked = 0;
  private characters = 0;

  get isFull(): boolean {
    const isLarge = this.records.length >= maximumRecords || this.characters >= maximumCharacters;
    return isLarge || this.walked >= maximumWalked;
  }

  add(record: ProduceRecord): void {
    this.records.push(record);
    this.characters += record.value.length;
  }

  addOutput(record: ProduceRecord): void {
    this.add(record);
    this.steps.push({ records: 1 });
  }
}
