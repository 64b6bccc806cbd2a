import type { OutcomeListener } from "../src/auction/reducer.ts";
import { tickAt } from "../src/auction/tick.ts";
import { PushedRecord } from "../src/kafka/header-text.ts";
import type { LogRecord } from "../src/kafka/port.ts";
import { describeError } from "../src/lib/log.ts";
import { topics } from "../src/topology.ts";
import { computeNextAlarm, guardMs, tickRetryMs } from "./alarm.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import { Failures, type Activity } from "./failures.ts";
import { JournalReads } from "./journal-reads.ts";
import { JournalState } from "./journal-state.ts";
import { LogCheck } from "./log-check.ts";
import { LogReader } from "./log-reader.ts";
import { OutboxSender } from "./outbox-sender.ts";
import { ItemRelay } from "./relay.ts";
import type { ItemAnswer, ItemQuery, PartitionRpc, PartitionStatus, PushBatch, PushResult } from "./rpc.ts";
import { Waiters } from "./waiters.ts";

/** How long an alarm or a wake goes on: with the guard's time still less than an invocation's 30 s of CPU. */
const sliceMs = 15_000;
const offsetsTimeoutMs = 10_000;

/**
 * One partition of the group `auction`: reads the journal in offset order, keeps its state,
 * relays its items, sends its outputs. Wires the parts; each part argues its own ordering.
 */
export class PartitionCore extends JournalReads implements PartitionRpc {
  private readonly journalReader: LogReader;
  private readonly itemsReader: LogReader;
  private readonly relay: ItemRelay;
  private readonly sender: OutboxSender;
  private readonly waiters: Waiters;
  private readonly failures = new Failures();
  private readonly logCheck: LogCheck;
  /** The journal was read to its end once since this object came up; items are relayed only then. */
  private hasReadJournal = false;
  private journalEnd: number | undefined;
  private alarmAt: number | null = null;
  private tickNotBefore = 0;

  constructor(dependencies: PartitionDependencies) {
    const { group, partition, settings } = dependencies;
    const source = `/groups/${group}/${partition}`;
    const journalTopic = settings.topicPrefix + topics.journal;
    const waiters = new Waiters(dependencies.clock);
    const tell: OutcomeListener = (topic, offset, outcome) => waiters.tell(topic, offset, outcome);
    super(dependencies, new JournalState(dependencies, source, journalTopic, tell));
    this.waiters = waiters;
    const itemsTopic = settings.topicPrefix + topics.items;
    this.logCheck = new LogCheck(dependencies, () => [
      { topic: journalTopic, partition, offset: this.journal.position },
      { topic: itemsTopic, partition, offset: this.journal.openedItemsOffset + 1 },
    ]);
    this.relay = new ItemRelay(dependencies, { journal: journalTopic, source }, (records) =>
      this.journalReader.offer(records),
    );
    this.journalReader = new LogReader(dependencies, this.journalHost(journalTopic));
    this.itemsReader = new LogReader(dependencies, this.itemsHost(itemsTopic));
    this.sender = new OutboxSender(dependencies, this.senderHost(source));
  }

  private journalHost(topic: string): ConstructorParameters<typeof LogReader>[1] {
    return {
      topic,
      position: () => this.journal.position,
      isReady: async () => {
        await this.logCheck.once();
        await this.journal.recover();
        return !this.journal.isFull;
      },
      take: (run) => this.apply(run),
      onFailure: (error) => this.fail("read the journal", error),
      onSuccess: () => this.failures.succeed("read the journal"),
    };
  }

  private itemsHost(topic: string): ConstructorParameters<typeof LogReader>[1] {
    return {
      topic,
      position: () => this.relay.position(this.journal.openedItemsOffset),
      isReady: () => this.readJournalFirst(),
      take: (run) => this.relay.relay(run),
      onFailure: (error) => this.fail("relay items", error),
      onSuccess: () => this.failures.succeed("relay items"),
    };
  }

  private senderHost(source: string): ConstructorParameters<typeof OutboxSender>[1] {
    return {
      source,
      outbox: () => this.journal.outbox,
      entry: (number) => this.journal.store.entries.get(number),
      isLastOfBidder: (entry) => this.journal.isLastOfBidder(entry),
      alreadySent: (topic) => this.journal.alreadySent[topic],
      onFailure: (error) => this.fail("send outputs", error),
      settle: () => this.journal.settleOutbox(),
      onSent: () => {
        this.failures.succeed("send outputs");
        if (!this.journal.isFull && this.journalReader.isBehind) this.journalReader.kick();
      },
    };
  }

  /** Brings the schema up to date and loads the state; before any other call. */
  async start(): Promise<void> {
    this.journal.load();
    this.alarmAt = await this.dependencies.storage.getAlarm();
    this.armAlarm();
  }

  async push(batch: PushBatch): Promise<PushResult> {
    const { topic, waitMs } = batch;
    const last = batch.offsets.at(-1);
    if (last === undefined) return { position: this.journal.position };
    const reader = topic === "journal" ? this.journalReader : this.itemsReader;
    const isApplied = last < this.positionAfter(topic);
    // Asked for before anything moves, so that the answer cannot slip by.
    const outcome = waitMs === undefined ? undefined : this.waiters.outcomeWithin(topic, last, waitMs);
    const reached = isApplied || waitMs !== undefined ? undefined : this.waiters.reached(topic, last);
    // What had no room is left for a fetch: its sender is not kept, nor its batch in memory.
    if (reader.offer(this.recordsOf(batch))) await reached;
    const known = await outcome;
    return { position: this.journal.position, ...(known === undefined ? {} : { outcome: known }) };
  }

  private recordsOf({ topic, offsets, timestamps, keys, values, headers }: PushBatch): LogRecord[] {
    const { partition, settings } = this.dependencies;
    const place = { topic: settings.topicPrefix + topics[topic], partition };
    return offsets.map((offset, index) => {
      const content = [keys[index] ?? "", values[index] ?? "", headers[index] ?? ""] as const;
      return new PushedRecord(place, offset, timestamps[index] ?? 0, content);
    });
  }

  /** First offset that has not taken effect: of the journal, or of the items by their openings. */
  private positionAfter(topic: "items" | "journal"): number {
    return topic === "journal" ? this.journal.position : this.journal.openedItemsOffset + 1;
  }

  private apply(run: readonly LogRecord[]): void {
    this.journal.apply(run);
    this.waiters.advance(this.journal.position, this.journal.openedItemsOffset + 1);
    // A topic that failed is asked again when its retry is due, not with every run.
    if (this.failures.retryAtOf("send outputs") <= this.dependencies.clock.now()) this.sender.kick();
    this.armAlarm();
  }

  /**
   * Before the first relay the journal is read to where it ended when it was first asked for: it may
   * hold openings that an earlier life of this object appended and did not apply. Under a steady
   * load the reader itself never meets an end.
   */
  private async readJournalFirst(): Promise<boolean> {
    if (this.hasReadJournal) return true;
    this.journalEnd ??= await this.findJournalEnd();
    if (this.journal.position < this.journalEnd) {
      const reached = this.waiters.reached("journal", this.journalEnd - 1);
      // The end may lie behind offsets that no record has.
      await Promise.race([reached, this.journalReader.catchUp()]);
    }
    this.hasReadJournal = this.journal.position >= this.journalEnd || !this.journalReader.isBehind;
    return this.hasReadJournal;
  }

  private async findJournalEnd(): Promise<number> {
    const { clock, log, partition, settings } = this.dependencies;
    const topic = settings.topicPrefix + topics.journal;
    const [end] = await log.offsets("latest", [{ topic, partition }], clock.now() + offsetsTimeoutMs);
    return end?.offset ?? Number.POSITIVE_INFINITY;
  }

  /** Nothing is lost by a failure: the log still has it, and the alarm goes on. */
  private fail(activity: Activity, error: unknown): void {
    const { clock, logger, partition } = this.dependencies;
    const message = describeError(error);
    this.failures.fail(activity, message, clock.now());
    logger("warn", "partition.stalled", { partition, activity, error: message });
    this.waiters.release();
    try {
      this.armAlarm();
    } catch {
      // The state cannot be read either: the alarm tries that again.
      if (this.alarmAt === null) this.setAlarm(clock.now() + guardMs);
    }
  }

  private armAlarm(): void {
    const { clock } = this.dependencies;
    const at = computeNextAlarm({
      now: clock.now(),
      retryAt: this.failures.retryAt,
      hasWork: !this.journal.outbox.isEmpty || this.journalReader.isBehind || this.itemsReader.isBehind,
      nextDue: this.journal.nextDue?.due ?? null,
      tickNotBefore: Math.max(
        this.tickNotBefore,
        this.failures.retryAtOf("tick"),
        this.failures.retryAtOf("read the journal"),
      ),
      trustedTime: this.journal.store.state.trustedTime,
    });
    // An alarm that is set earlier fires and computes again; moving it costs a row each time.
    if (at !== null && (this.alarmAt === null || at < this.alarmAt)) this.setAlarm(at);
  }

  private setAlarm(at: number): void {
    this.alarmAt = at;
    void this.dependencies.storage.setAlarm(at);
  }

  /** The object's alarm: goes on with what is under way, and closes what is due on an idle partition. */
  async alarm(): Promise<void> {
    this.alarmAt = null;
    try {
      await this.goOn();
      await this.tickWhenDue();
      this.failures.succeed("tick");
      this.postponeTick();
      this.armAlarm();
    } catch (error) {
      this.fail("tick", error);
    }
  }

  /** Something is still due: the partition is busy, or its outbox full. Asking again at once would not help. */
  private postponeTick(): void {
    const now = this.dependencies.clock.now();
    const { nextDue } = this.journal;
    if (nextDue !== null && nextDue.due <= now) this.tickNotBefore = now + tickRetryMs;
  }

  /**
   * Catches up with both topics and sends what is to be sent, for a while: under a steady load
   * there is no end to it, and a rebuild is more than one invocation's CPU time. Then the alarm goes on.
   */
  private async goOn(): Promise<void> {
    const isOver = new AbortController();
    await Promise.race([this.goOnToTheEnd(), this.dependencies.clock.sleep(sliceMs, isOver.signal)]);
    isOver.abort();
  }

  private async goOnToTheEnd(): Promise<void> {
    await this.journalReader.catchUp();
    await this.itemsReader.catchUp();
    // The openings that were just relayed are on their way through the journal's reader.
    await this.journalReader.rest();
    await this.sender.flush();
  }

  private async tickWhenDue(): Promise<void> {
    const { clock, log, partition, settings } = this.dependencies;
    const due = this.journal.nextDue;
    const now = clock.now();
    const isIdle = !this.journalReader.isBehind && !this.journalReader.isWorking;
    if (due === null || due.due > now || this.journal.store.state.trustedTime || !isIdle) return;
    const tick = tickAt(now, due.itemId, {
      journal: settings.topicPrefix + topics.journal,
      partition,
      source: `/groups/${this.dependencies.group}/${partition}`,
    });
    const [result] = await log.produce([tick], now + settings.produceTimeoutMs);
    if (result === undefined) return;
    if (!result.ok) throw result.error;
    this.journalReader.offer([{ ...tick, offset: result.offset, timestamp: result.timestamp }]);
    // Whoever reads the log at the same time may have brought the tick before its answer came.
    if (result.offset >= this.journal.position) await this.waiters.reached("journal", result.offset);
  }

  async wake(): Promise<PartitionStatus> {
    this.logCheck.forget();
    await this.goOn();
    this.armAlarm();
    return this.status();
  }

  status(): Promise<PartitionStatus> {
    const stalled = this.failures.summary;
    const { state } = this.journal.store;
    const end = (reader: LogReader, position: number): number | null => (reader.isBehind ? null : position);
    const items = state.openedItemsOffset + 1;
    return Promise.resolve({
      partition: this.dependencies.partition,
      journal: { position: state.position, endOffset: end(this.journalReader, state.position) },
      items: { position: items, endOffset: end(this.itemsReader, items) },
      streamTime: state.streamTime,
      outbox: this.journal.outbox.unsent,
      deadLettered: state.deadLettered,
      ...(stalled === undefined ? {} : { stalled }),
    });
  }

  async readItem(query: ItemQuery): Promise<ItemAnswer> {
    if (query.after !== undefined && !(await this.tookEffect(query.after, query.waitMs)))
      return { kind: "late" };
    const item = this.viewOf(query.itemId);
    return item === null ? { kind: "unknown" } : { kind: "item", item };
  }

  /** Waits until a record has taken effect: a bid that came ahead of its item does when it is judged. */
  private async tookEffect(
    { topic, offset }: NonNullable<ItemQuery["after"]>,
    waitMs: number,
  ): Promise<boolean> {
    const { clock } = this.dependencies;
    const until = clock.now() + waitMs;
    if (offset >= this.positionAfter(topic)) {
      const reached = this.waiters.reachedWithin(topic, offset, waitMs);
      void (topic === "journal" ? this.journalReader : this.itemsReader).catchUp();
      if (!(await reached)) return false;
    }
    if (topic === "items" || !this.journal.store.waiting.has(offset)) return true;
    const judged = this.waiters.outcomeWithin("journal", offset, until - clock.now());
    void this.itemsReader.catchUp();
    return (await judged) !== undefined;
  }
}
