import { lost } from "../src/auction/outputs.ts";
import { outputTopics, type Entry, type OutputTopic } from "../src/auction/state.ts";
import type { ProduceRecord } from "../src/kafka/port.ts";
import { topics } from "../src/topology.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import { prepare, recordOf, type PreparedOutput } from "./outbox-record.ts";
import type { LosersRow, OutputsRow, StoredOutbox } from "./storage/outbox.ts";

/** One produce at most, by count and by characters of the values. */
const maximumRecords = 1_000;
const maximumCharacters = 700_000;
/** Entries that one slice of a fan-out looks at. */
const maximumWalked = 1_000;

export interface OutboxSenderHost {
  readonly source: string;
  outbox(): StoredOutbox;
  entry(number: number): Entry | undefined;
  /** Whether this entry is the last accepted bid of its bidder on its item. */
  isLastOfBidder(entry: Entry): boolean;
  /** Highest sequence of each topic that was there before a wipe; up to it nothing is sent again. */
  alreadySent(topic: OutputTopic): number;
  onFailure(error: unknown): void;
  onSent(): void;
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

  constructor(dependencies: PartitionDependencies, host: OutboxSenderHost) {
    this.dependencies = dependencies;
    this.host = host;
  }

  kick(): void {
    for (const topic of outputTopics) {
      if (this.sending.has(topic) || this.host.outbox().queue(topic).length === 0) continue;
      this.sending.set(topic, this.drain(topic));
    }
  }

  /** Sends until the outbox is empty or a produce fails. */
  async flush(): Promise<void> {
    this.kick();
    while (this.sending.size > 0) await Promise.all(this.sending.values());
  }

  private async drain(topic: OutputTopic): Promise<void> {
    try {
      for (let head = this.head(topic); head !== undefined; head = this.head(topic)) {
        if (head.kind === "losers") await this.sendLosers(head);
        else await this.sendOutputs(topic);
        this.host.onSent();
      }
    } catch (error) {
      this.host.onFailure(error);
    } finally {
      this.sending.delete(topic);
    }
  }

  private head(topic: OutputTopic): OutputsRow | LosersRow | undefined {
    return this.host.outbox().queue(topic)[0];
  }

  private async sendOutputs(topic: OutputTopic): Promise<void> {
    const records: ProduceRecord[] = [];
    let characters = 0;
    for (const row of this.host.outbox().queue(topic)) {
      if (row.kind !== "outputs" || records.length >= maximumRecords || characters >= maximumCharacters)
        break;
      for (const [index, output] of row.outputs.entries()) {
        if (records.length >= maximumRecords || (records.length > 0 && characters >= maximumCharacters))
          break;
        characters += output[4].length;
        records.push(this.recordOf(topic, output, row.firstSequence + index));
      }
    }
    await this.produce(records, (count) => this.host.outbox().acknowledge(topic, count));
  }

  /** One slice of a fan-out: walks the item's entries from newest to oldest. */
  private async sendLosers(row: LosersRow): Promise<void> {
    const alreadySent = this.host.alreadySent("notifications");
    const records: ProduceRecord[] = [];
    let made = 0;
    let cursor = row.cursor;
    for (let walked = 0; cursor !== 0 && walked < maximumWalked; walked += 1) {
      const entry = this.host.entry(cursor);
      if (entry === undefined) throw new Error(`entry ${cursor} of item ${row.losers.itemId} is not stored`);
      cursor = entry.previous;
      const isBid = entry.kind === "bid" && entry.reason === null;
      if (!isBid || entry.bidderId === row.losers.winner || !this.host.isLastOfBidder(entry)) continue;
      made += 1;
      const sequence = row.firstSequence + made - 1;
      if (sequence <= alreadySent) continue;
      records.push(
        this.recordOf("notifications", prepare(lost(row.losers, entry, row.sent + made)), sequence),
      );
    }
    if (cursor === 0 && row.sent + made !== row.losers.count) {
      throw new Error(
        `item ${row.losers.itemId} has ${row.sent + made} other bidders, ${row.losers.count} were counted`,
      );
    }
    // All or nothing: a slice that was appended in part is sent again, under the same sequences.
    await this.produce(records, (count) => {
      if (count === records.length) this.host.outbox().acknowledgeLosers(made, cursor);
    });
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
    const { clock, log, settings } = this.dependencies;
    const results = await log.produce(records, clock.now() + settings.produceTimeoutMs);
    const failed = results.findIndex((result) => !result.ok);
    acknowledge(failed === -1 ? records.length : failed);
    const failure = results[failed];
    if (failure !== undefined && !failure.ok) throw failure.error;
  }
}
