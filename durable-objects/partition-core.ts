import type { OutcomeListener } from "../src/auction/reducer.ts";
import { outputTopics, type OutputTopic } from "../src/auction/state.ts";
import { topics } from "../src/topics.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import type { Activity } from "./failures.ts";
import { fanOutHostOf, walkFanOut } from "./fan-out-walk.ts";
import { JournalFirst } from "./journal-first.ts";
import type { JournalReading } from "./journal-reading.ts";
import { JournalReads } from "./journal-reads.ts";
import { JournalState } from "./journal-state.ts";
import { LogCheck, type CheckedPosition } from "./log-check.ts";
import { LogReader } from "./log-reader.ts";
import { OutboxSender, type OutboxSenderHost } from "./outbox-sender.ts";
import { partitionStatus, progressOf } from "./partition-status.ts";
import { recordsOf } from "./pushed-records.ts";
import { lostByRebuild } from "./rebuild.ts";
import { ItemRelay } from "./relay.ts";
import type { PartitionRpc, PartitionStatus, PushBatch, PushResult, TopicProgress } from "./rpc.ts";
import { tickWhenDue } from "./ticker.ts";
import type { Effects } from "./took-effect.ts";
import { TopicIdentities, TopicReplaced, type ReadTopic } from "./topic-identities.ts";
import { Waiters } from "./waiters.ts";
import { WakeUps } from "./wake-ups.ts";

/** How long an alarm or a wake goes on: with the guard's time still less than an invocation's 30 s of CPU. */
const sliceMs = 15_000;

/**
 * One partition of the group `auction`: reads the journal in offset order, keeps its state,
 * relays its items, sends its outputs. Wires the parts; each part argues its own ordering.
 */
export class PartitionCore extends JournalReads implements PartitionRpc {
  private readonly names: Readonly<Record<ReadTopic, string>>;
  private readonly journalReader: LogReader;
  private readonly itemsReader: LogReader;
  private readonly relay: ItemRelay;
  private readonly sender: OutboxSender<OutputTopic>;
  private readonly waiters: Waiters;
  private readonly identities: TopicIdentities<ReadTopic>;
  private readonly logCheck: LogCheck<ReadTopic>;
  private readonly reading: JournalReading;
  private readonly journalFirst: JournalFirst;
  private readonly wakeUps: WakeUps;
  private isEnding = false;

  constructor(dependencies: PartitionDependencies) {
    const { group, partition, settings } = dependencies;
    const source = `/groups/${group}/${partition}`;
    const names = {
      journal: settings.topicPrefix + topics.journal,
      items: settings.topicPrefix + topics.items,
    };
    const waiters = new Waiters(dependencies.clock);
    const tell: OutcomeListener = (topic, offset, outcome) => waiters.tell(topic, offset, outcome);
    super(dependencies, new JournalState(dependencies, { ...names, source }, tell));
    this.names = names;
    this.waiters = waiters;
    this.wakeUps = new WakeUps(dependencies, {
      isStopped: () => this.isStopped,
      hasWork: () => !this.journal.outbox.isEmpty || this.journalReader.isBehind || this.itemsReader.isBehind,
      nextDue: () => this.journal.nextDue?.due ?? null,
      followsTrustedTime: () => this.journal.store.state.trustedTime,
    });
    this.identities = new TopicIdentities(dependencies, names, (topic) =>
      topic === "journal" ? this.journal.position === 0 : this.itemsPosition === 0,
    );
    const positions = (): CheckedPosition<ReadTopic>[] => [
      { role: "journal", topic: names.journal, partition, offset: this.journal.position },
      { role: "items", topic: names.items, partition, offset: this.positionAfter("items") },
    ];
    this.logCheck = new LogCheck(dependencies, positions, this.identities);
    this.relay = new ItemRelay(dependencies, { journal: names.journal, source }, (records, topicId) => {
      this.identities.recognize("journal", topicId);
      this.journalReader.offer(records);
    });
    this.journalReader = new LogReader(dependencies, this.journalHost());
    this.itemsReader = new LogReader(dependencies, this.itemsHost());
    const { identities, journal, journalReader: reader } = this;
    this.reading = { topic: names.journal, source, journal, reader, waiters, identities };
    this.journalFirst = new JournalFirst(dependencies, this.reading);
    this.sender = new OutboxSender(dependencies, this.senderHost(source));
  }

  private journalHost(): ConstructorParameters<typeof LogReader>[1] {
    return {
      topic: this.names.journal,
      position: () => this.journal.position,
      isReady: async () => {
        if (this.isStopped) return false;
        await this.logCheck.once();
        await this.journal.sentBefore.find();
        return !this.journal.isFull;
      },
      recognize: (topicId) => this.identities.recognize("journal", topicId),
      take: (run) => this.moved(() => this.journal.apply(run)),
      skipTo: (next) => this.moved(() => this.journal.skipTo(next)),
      lose: (start) => {
        this.moved(() => this.journal.lose(start));
        this.startRelayOver();
      },
      onFailure: (error) => this.fail("read the journal", error),
      onSuccess: () => this.wakeUps.succeed("read the journal"),
    };
  }

  private itemsHost(): ConstructorParameters<typeof LogReader>[1] {
    return {
      topic: this.names.items,
      position: () => this.itemsPosition,
      isReady: async () => {
        if (this.isStopped) return false;
        await this.logCheck.once();
        return this.journalFirst.read();
      },
      recognize: (topicId) => this.identities.recognize("items", topicId),
      take: (run) => this.relay.relay(run),
      skipTo: (next) => {
        this.relay.skipTo(next);
        this.advanceWaiters();
      },
      lose: (start) => this.relay.lose(start),
      onFailure: (error) => this.fail("relay items", error),
      onSuccess: () => this.wakeUps.succeed("relay items"),
    };
  }

  private senderHost(source: string): OutboxSenderHost<OutputTopic> {
    return {
      source,
      isStopped: () => this.isStopped,
      outbox: () => this.journal.outbox,
      topics: outputTopics,
      expand: (fanOut, slice, recordOf, firstSequence) =>
        walkFanOut(
          fanOutHostOf(this.journal, this.dependencies.logger),
          fanOut,
          slice,
          recordOf,
          firstSequence,
        ),
      onAppended: (...appended) => this.journal.appended(...appended),
      onFailure: (error) => this.fail("send outputs", error),
      settle: () => this.journal.settleOutbox(),
      onSent: () => {
        this.wakeUps.succeed("send outputs");
        if (!this.journal.isFull && this.journalReader.isBehind) this.journalReader.kick();
      },
    };
  }

  private get isStopped(): boolean {
    return this.isEnding || this.identities.isStopped;
  }

  /** Brings the schema up to date and loads the state; before any other call. */
  async start(): Promise<void> {
    this.journal.load();
    this.identities.load();
    this.relay.load();
    await this.wakeUps.load();
  }

  async push(batch: PushBatch): Promise<PushResult> {
    const { topic, waitMs } = batch;
    const last = batch.offsets.at(-1);
    // What is in a topic that was made again is in the log, and nothing that this partition may apply.
    if (last === undefined || this.isStopped) return { position: this.journal.position };
    const reader = topic === "journal" ? this.journalReader : this.itemsReader;
    if (!this.identities.matches(topic, batch.topicId)) return this.askWhichTopic(reader);
    const isApplied = last < this.positionAfter(topic);
    // Asked for before anything moves, so that the answer cannot slip by.
    const outcome = waitMs === undefined ? undefined : this.waiters.outcomeWithin(topic, last, waitMs);
    const reached = isApplied || waitMs !== undefined ? undefined : this.waiters.reached(topic, last);
    const place = { topic: this.names[topic], partition: this.dependencies.partition };
    // What had no room is left for a fetch: its sender is not kept, nor its batch in memory.
    if (reader.offer(recordsOf(batch, place))) await reached;
    const known = await outcome;
    return { position: this.journal.position, ...(known === undefined ? {} : { outcome: known }) };
  }

  /** A push tells of another topic, or of one that is gone by now: only the log knows which. */
  private async askWhichTopic(reader: LogReader): Promise<PushResult> {
    this.logCheck.forget();
    await reader.catchUp();
    return { position: this.journal.position };
  }

  /** Next items offset to relay. */
  private get itemsPosition(): number {
    return this.relay.position(this.journal.openedItemsOffset);
  }

  /** First offset that has not taken effect: of the journal, or of the items by their openings. */
  private positionAfter(topic: ReadTopic): number {
    const { position, openedItemsOffset } = this.journal;
    return topic === "journal" ? position : this.relay.positionAfter(openedItemsOffset);
  }

  /** Moves the journal's position, and does what follows from it. */
  private moved(move: () => void): void {
    move();
    this.followers.changed(this.journal.store.items.flushed());
    this.advanceWaiters();
    // A topic that failed is asked again when its retry is due, not with every run.
    if (this.wakeUps.isDue("send outputs")) this.sender.kick();
    this.wakeUps.arm();
  }

  private advanceWaiters(): void {
    this.waiters.advance(this.journal.position, this.positionAfter("items"));
  }

  /** What was relayed may be gone from the journal: what it still has of it is read first. */
  private startRelayOver(): void {
    this.relay.startOver();
    this.journalFirst.startOver();
  }

  private fail(activity: Activity, error: unknown): void {
    if (error instanceof TopicReplaced) {
      this.logCheck.forget();
      this.startRelayOver();
    }
    this.wakeUps.fail(activity, error);
    this.waiters.release();
  }

  /** The object's alarm: goes on with what is under way, and closes what is due on an idle partition. */
  async alarm(): Promise<void> {
    this.wakeUps.fired();
    try {
      await this.goOn();
      await tickWhenDue(this.dependencies, this.reading);
      this.wakeUps.succeed("tick");
      this.wakeUps.postponeTick();
      this.wakeUps.arm();
    } catch (error) {
      this.fail("tick", error);
    }
  }

  /**
   * Catches up with both topics and sends what is to be sent, for a while: under a steady load
   * there is no end to it, and a rebuild is more than one invocation's CPU time. Then the alarm goes on.
   */
  private async goOn(): Promise<void> {
    if (this.identities.isStopped && !(await this.isBack())) return;
    const isOver = new AbortController();
    await Promise.race([this.goOnToTheEnd(), this.dependencies.clock.sleep(sliceMs, isOver.signal)]);
    isOver.abort();
  }

  /** Whether the topics that this partition read are in the log again, after they had been others. */
  private async isBack(): Promise<boolean> {
    this.logCheck.forget();
    try {
      await this.logCheck.once();
      return true;
    } catch (error) {
      this.fail("read the journal", error);
      return false;
    }
  }

  private async goOnToTheEnd(): Promise<void> {
    await this.journalReader.catchUp();
    await this.itemsReader.catchUp();
    // The openings that were just relayed are on their way through the journal's reader.
    await this.journalReader.rest();
    await this.sender.flush();
  }

  async wake(): Promise<PartitionStatus> {
    this.logCheck.forget();
    await this.goOn();
    this.wakeUps.arm();
    return this.status();
  }

  /** What a rebuild could not bring back; null where it brings back all. @throws {LogError} */
  lostByRebuild(): Promise<string | null> {
    return lostByRebuild(this.dependencies, this.names.journal, this.identities.stopped);
  }

  /**
   * Applies, relays and sends nothing any more, for another core to take its place. When it resolves
   * nothing of it is under way: an output that landed later could be sent once more by the other one.
   */
  async end(): Promise<void> {
    this.isEnding = true;
    this.waiters.release();
    this.followers.stop();
    await Promise.all([this.journalReader.rest(), this.itemsReader.rest(), this.sender.rest()]);
  }

  status(): Promise<PartitionStatus> {
    const { partition } = this.dependencies;
    const stalled = this.identities.stopped ?? this.wakeUps.stalled;
    const progress = (topic: ReadTopic, { isBehind }: LogReader): TopicProgress =>
      progressOf(this.positionAfter(topic), isBehind, this.identities.idOf(topic));
    const [journal, items] = [progress("journal", this.journalReader), progress("items", this.itemsReader)];
    return Promise.resolve(partitionStatus(this.journal, { partition, journal, items, stalled }));
  }

  protected get effects(): Effects {
    return {
      clock: this.dependencies.clock,
      journal: this.journal,
      waiters: this.waiters,
      positionAfter: (topic) => this.positionAfter(topic),
      catchUp: (topic) => (topic === "journal" ? this.journalReader : this.itemsReader).catchUp(),
    };
  }
}
