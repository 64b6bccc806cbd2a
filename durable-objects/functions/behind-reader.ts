import type { FetchAnswer } from "../../src/kafka/port.ts";
import type { PartitionDependencies } from "../dependencies.ts";
import { logStart } from "../log-start.ts";
import { LogWait } from "../log-wait.ts";
import type { Delivery } from "./delivery.ts";
import type { DrivenFunction } from "./driven.ts";
import { readRecord } from "./read-record.ts";

const fetchTimeoutMs = 10_000;

export interface BehindReaderHost {
  /** As named in the log. */
  readonly topic: string;
  /** `ce_source` of those whose outputs the topic carries. */
  readonly writer: string;
  /** The group's position: whoever comes to it reads on with the group. */
  head(): number;
  /** The functions with what they have on this partition. */
  driven(): Iterable<readonly [DrivenFunction, Delivery]>;
  mayRead(): boolean;
  /** Throws where the log's answer is about another topic than was read before. */
  recognize(topicId: string | undefined): void;
  /** The log has deleted what lies from `from` to `to`, which a function had still to read. */
  lose(from: number, to: number): void;
  onRead(): void;
  onFailure(error: unknown): void;
}

/**
 * Reads for functions that are behind the group: those that are new and begin early, that had no
 * room while the others went on, or whose endpoint was away. One fetch at a time, where the one goes on
 * that has waited longest, so that one with far to go does not hold up one that is nearly there; each
 * whose place is in it is handed what it has not read, up to the group's position and no further, so
 * that it then goes on with the group and nothing is read past.
 */
export class BehindReader {
  private readonly dependencies: PartitionDependencies;
  private readonly host: BehindReaderHost;
  private running: Promise<void> | undefined;
  /** Which fetch was the last that handed a function something. */
  private readonly served = new WeakMap<Delivery, number>();
  private fetches = 0;

  constructor(dependencies: PartitionDependencies, host: BehindReaderHost) {
    this.dependencies = dependencies;
    this.host = host;
  }

  get isNeeded(): boolean {
    return this.nextPlace() !== undefined;
  }

  kick(): void {
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  async rest(): Promise<void> {
    while (this.running !== undefined) await this.running;
  }

  private async run(): Promise<void> {
    try {
      for (let place = this.nextPlace(); place !== undefined; place = this.nextPlace()) {
        // Also where the fetch fails: it is then another one's turn.
        this.served.set(place.delivery, (this.fetches += 1));
        await this.readFrom(place.next);
      }
    } catch (error) {
      this.host.onFailure(error);
    }
  }

  /** Where the one goes on that has waited longest, of those that are behind and have room. */
  private nextPlace(): { readonly delivery: Delivery; readonly next: number } | undefined {
    if (!this.host.mayRead()) return undefined;
    let chosen: { readonly delivery: Delivery; readonly next: number; readonly servedAt: number } | undefined;
    for (const [, delivery] of this.host.driven()) {
      delivery.makeRoom();
      const { next } = delivery;
      if (next >= this.host.head() || delivery.room === 0) continue;
      const servedAt = this.served.get(delivery) ?? 0;
      const isSooner = servedAt < (chosen?.servedAt ?? Number.POSITIVE_INFINITY);
      if (isSooner || (servedAt === chosen?.servedAt && next < chosen.next))
        chosen = { delivery, next, servedAt };
    }
    return chosen;
  }

  private async readFrom(from: number): Promise<void> {
    const { clock, log, partition } = this.dependencies;
    const place = { topic: this.host.topic, partition, offset: from };
    const answer = await log.fetch(place, clock.now() + fetchTimeoutMs);
    this.host.recognize(answer.topicId);
    const start = Math.max(from, await logStart(this.dependencies, this.host.topic, answer, from));
    const end = Math.max(start, (answer.records.at(-1)?.offset ?? -1) + 1, answer.next ?? 0);
    if (end === from) throw new LogWait(`the log ends at ${from}, before the group's position`);
    this.handOut(answer, from, start, Math.min(end, this.host.head()));
    this.host.onRead();
  }

  private handOut({ records }: FetchAnswer, from: number, start: number, end: number): void {
    const read = records.map((record) => readRecord(record, this.host.writer));
    const now = this.dependencies.clock.now();
    let isLost = false;
    for (const [driven, delivery] of this.host.driven()) {
      const { next } = delivery;
      if (next < from || next >= end || delivery.room === 0) continue;
      this.served.set(delivery, this.fetches);
      isLost ||= next < start;
      delivery.admit(read, end, now, (record) => driven.selects(record));
    }
    if (isLost) this.host.lose(from, start);
  }
}
