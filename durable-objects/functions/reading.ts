import type { LogRecord } from "../../src/kafka/port.ts";
import { topics } from "../../src/topics.ts";
import type { PartitionDependencies } from "../dependencies.ts";
import type { Activity } from "../failures.ts";
import { LogCheck } from "../log-check.ts";
import { LogReader, type LogReaderHost } from "../log-reader.ts";
import { findSequence } from "../recovery.ts";
import { TopicIdentities } from "../topic-identities.ts";
import { BehindReader, type BehindReaderHost } from "./behind-reader.ts";
import type { Delivery } from "./delivery.ts";
import type { DrivenFunction } from "./driven.ts";
import { type GroupState, groupTopics } from "./group-state.ts";
import { readRecord } from "./read-record.ts";

const earliestTimeoutMs = 10_000;
/** Outputs that may still be under way from before a wipe. */
const underWay = 1_000;

export interface TopicReadingHost {
  /** As named in the log. */
  readonly topic: string;
  /** `ce_source` of those whose outputs the topic carries. */
  readonly writer: string;
  /** `ce_source` of what the group itself writes. */
  readonly source: string;
  readonly state: GroupState;
  /** The functions with what they have on this partition. */
  driven(): Iterable<readonly [DrivenFunction, Delivery]>;
  /** Asks which functions there are, unless that is known. */
  knowFunctions(): Promise<void>;
  /** Nothing may be read for now. */
  isHeld(): boolean;
  /** Records were handed out, or a position moved. */
  onRead(): void;
  onFailure(activity: Activity, error: unknown): void;
  onSuccess(activity: Activity): void;
}

/**
 * Brings a topic's records to a group's functions: those at the group's position get what comes,
 * those that are behind catch up by reading for themselves. The group's position moves as long as
 * somebody who is at it has room, so that one function of several holds up no other.
 */
export class TopicReading {
  readonly identities: TopicIdentities<"topic">;
  readonly logCheck: LogCheck<"topic">;
  readonly reader: LogReader;
  readonly behind: BehindReader;
  private readonly dependencies: PartitionDependencies;
  private readonly host: TopicReadingHost;

  constructor(dependencies: PartitionDependencies, host: TopicReadingHost) {
    const { partition } = dependencies;
    const { topic } = host;
    this.dependencies = dependencies;
    this.host = host;
    this.identities = new TopicIdentities(dependencies, { topic }, () => this.position === 0);
    const positions = () => [{ role: "topic" as const, topic, partition, offset: this.position }];
    this.logCheck = new LogCheck(dependencies, positions, this.identities);
    this.reader = new LogReader(dependencies, this.readerHost());
    this.behind = new BehindReader(dependencies, this.behindHost());
  }

  private get position(): number {
    return this.host.state.row.position;
  }

  private get isHalted(): boolean {
    return this.host.isHeld() || this.identities.isStopped;
  }

  /** Whether the group may read on: some function that is at its position has room, or there is none at all. */
  get mayTake(): boolean {
    if (this.isHalted) return false;
    let count = 0;
    for (const [, delivery] of this.host.driven()) {
      count += 1;
      delivery.makeRoom();
      if (delivery.next >= this.position && delivery.room > 0) return true;
    }
    return count === 0;
  }

  /** Whether records are known to be missing that somebody has room for. */
  get hasWork(): boolean {
    return (this.reader.isBehind && this.mayTake) || this.behind.isNeeded;
  }

  /** Resolves when nothing is read any more. */
  async rest(): Promise<void> {
    await Promise.all([this.reader.rest(), this.behind.rest()]);
  }

  private readerHost(): LogReaderHost {
    const { host } = this;
    return {
      topic: host.topic,
      position: () => this.position,
      isReady: async () => {
        if (this.isHalted) return false;
        await this.prepare();
        return this.mayTake;
      },
      recognize: (topicId) => this.identities.recognize("topic", topicId),
      take: (run) => this.moveTo((run.at(-1)?.offset ?? this.position - 1) + 1, run),
      skipTo: (next) => this.moveTo(next, []),
      lose: (start) => {
        host.state.lose(this.position, start);
        this.moveTo(start, []);
      },
      onFailure: (error) => host.onFailure("read the topic", error),
      onSuccess: () => host.onSuccess("read the topic"),
    };
  }

  private behindHost(): BehindReaderHost {
    const { host } = this;
    return {
      topic: host.topic,
      writer: host.writer,
      head: () => this.position,
      driven: () => host.driven(),
      mayRead: () => !this.isHalted,
      recognize: (topicId) => this.identities.recognize("topic", topicId),
      lose: (from, to) => host.state.lose(from, to),
      onRead: () => {
        host.onSuccess("catch up functions");
        host.onRead();
      },
      onFailure: (error) => host.onFailure("catch up functions", error),
    };
  }

  /** Finds out what has to be known before anything is read. @throws {LogError} */
  async prepare(): Promise<void> {
    if (!this.host.state.row.hasBegun) await this.begin();
    await this.host.knowFunctions();
    await this.logCheck.once();
  }

  /**
   * A new group begins with the first record that the log has: what is gone was never its own. Its
   * outputs take sequences above those that are in their topics since before a wipe, which whoever
   * reads them would otherwise take for repetitions.
   */
  private async begin(): Promise<void> {
    const { clock, log, partition } = this.dependencies;
    const { source, state, topic } = this.host;
    const [first] = await log.offsets("earliest", [{ topic, partition }], clock.now() + earliestTimeoutMs);
    const sequences = { ...state.row.sequences };
    for (const role of groupTopics) {
      const name = this.dependencies.settings.topicPrefix + topics[role];
      const highest = await findSequence(this.dependencies, name, source);
      sequences[role] = highest === 0 ? 0 : highest + underWay;
    }
    if (state.row.hasBegun) return;
    state.update({ sequences, hasBegun: true });
    this.moveTo(first?.offset ?? 0, []);
    state.commit();
  }

  /** Hands a stretch of the log to all who are not behind and have room, and moves the group's position. */
  private moveTo(end: number, run: readonly LogRecord[]): void {
    const { state, writer } = this.host;
    const { position, sequence } = state.row;
    const now = this.dependencies.clock.now();
    const records = run.map((record) => readRecord(record, writer));
    for (const [driven, delivery] of this.host.driven()) {
      const isWith = delivery.next >= position && delivery.next < end;
      if (!isWith || (run.length > 0 && delivery.room === 0)) continue;
      delivery.admit(records, end, now, (record) => driven.selects(record));
    }
    const highest = records.reduce((most, record) => Math.max(most, record.sequence), sequence);
    const readTime = run.at(-1)?.timestamp ?? state.row.readTime;
    state.update({ position: end, sequence: highest, readTime });
    this.host.onRead();
  }
}
